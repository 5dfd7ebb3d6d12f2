"""A text as exactly one argument: for bash, and for PowerShell."""

from __future__ import annotations

import re

_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./ -]+")
_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
"""PowerShell ends a single-quoted text at any of these (about_Quoting_Rules)."""


def bash_word(text: str, *, in_quotes: bool = False) -> str:
    """`text` as one word of bash; `in_quotes` writes harmless texts as the portal does: `"SandboxDeploy"`.

    Everything doubtful becomes `$'…'`, where nothing is expanded: `$()`, backticks, `!` of an interactive
    shell, line ends, and letters that only look like quotes or turn the reading direction.
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
    if letter == "!" or not (" " <= letter <= "~" or (not letter.isascii() and letter.isalnum())):
        return "".join(f"\\{byte:03o}" for byte in letter.encode())
    return letter


def powershell_word(text: str) -> str:
    """`text` as a single-quoted text of PowerShell, in which only quotes mean something."""
    return "'" + "".join(letter * 2 if letter in _SINGLE_QUOTES else letter for letter in text) + "'"


def harmless_for_cmd(text: str) -> bool:
    """True when cmd.exe, which runs config.cmd, leaves the text as it is, unlike `&`, `%`, `^` or `"`."""
    return bool(re.fullmatch(r"[\w@+=:./ ,-]+", text)) and not text.endswith(("\\", "\n"))
