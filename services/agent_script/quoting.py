"""A text as exactly one argument: for bash, and for PowerShell."""

from __future__ import annotations

import re

_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./ -]+")


def bash_word(text: str, *, in_quotes: bool = False) -> str:
    """`text` as one word of bash; `in_quotes` writes harmless texts as the portal does: `"SandboxDeploy"`.

    Everything doubtful becomes `$'…'`, where nothing is expanded: `$()`, backticks, `!` of an interactive
    shell, line ends, letters that only look like quotes or turn the reading direction, and letters beyond
    ASCII, in which some encodings (GBK, Shift JIS) would find a backslash or a backtick.
    """
    if in_quotes and _PLAIN.fullmatch(_without_letters(text)):
        return f'"{text}"'
    if _BARE.fullmatch(_without_letters(text)):
        return text
    return "$'" + "".join(map(_bash_letter, text)) + "'"


def _without_letters(text: str) -> str:
    """Letters and digits of any language count as plain ones."""
    return "".join("a" if not letter.isascii() and letter.isalnum() else letter for letter in text)


def _bash_letter(letter: str) -> str:
    if letter in "\\'":
        return "\\" + letter
    if letter == "!" or not " " <= letter <= "~":
        return "".join(f"\\{byte:03o}" for byte in letter.encode())
    return letter


def powershell_word(text: str) -> str:
    """`text` as one value of PowerShell, written in printable ASCII.

    PowerShell 5 reads a file without a byte order mark in the system's code page; there, part of a letter
    such as U+0412 is a quote that would end the text (about_Quoting_Rules: it takes four kinds of them).
    """
    if text.isascii() and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_powershell_letter, text)) + '"'


def _powershell_letter(letter: str) -> str:
    if " " <= letter <= "~":
        return f"`{letter}" if letter in '`$"#' else letter
    units = letter.encode("utf-16-be")
    return "".join(f"$([char]0x{units[at : at + 2].hex()})" for at in range(0, len(units), 2))


def harmless_for_cmd(text: str) -> bool:
    """True when cmd.exe, which runs config.cmd, leaves the text as it is, unlike `&`, `%`, `^` or `"`."""
    return bool(re.fullmatch(r"[A-Za-z0-9_@+=:./ ,-]+", text))
