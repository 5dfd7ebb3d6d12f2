"""The sources as coloured pieces: what is a keyword, a text, a comment, as Pygments finds it."""

from __future__ import annotations

from collections.abc import Iterator

from pygments.lexer import Lexer
from pygments.lexers.configs import DockerLexer
from pygments.lexers.go import GoLexer
from pygments.token import Comment, Keyword, Number, String, _TokenType

_CLASSES = ((Keyword, "k"), (String, "s"), (Comment, "c"), (Number, "n"))


def coloured(name: str, text: str) -> list[list[tuple[str, str]]]:
    """Line by line, (class, text) each; class is k, s, c, n or empty. Joined they are `text` again."""
    lexer: Lexer = GoLexer if name.endswith(".go") else DockerLexer
    lines: list[list[tuple[str, str]]] = [[]]
    for kind, piece in lexer(stripnl=False, ensurenl=False).get_tokens(text):
        for number, part in enumerate(piece.split("\n")):
            if number:
                lines.append([])
            if part:
                _append(lines[-1], _class_of(kind), part)
    return lines[:-1] if lines[-1] == [] else lines


def _append(line: list[tuple[str, str]], name: str, part: str) -> None:
    """Neighbours of one class are one piece."""
    if line and line[-1][0] == name:
        part = line.pop()[1] + part
    line.append((name, part))


def _class_of(kind: _TokenType) -> str:
    return next(_matching(kind), "")


def _matching(kind: _TokenType) -> Iterator[str]:
    return (name for family, name in _CLASSES if kind in family)
