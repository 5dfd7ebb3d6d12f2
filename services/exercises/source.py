"""A content file taken apart: front matter and Markdown, each piece with the line that it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from services.exercises.exercise import BadExercise

_FENCE = "---"
MARKDOWN = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable(["table"])
"""Raw HTML stays text, and links to scripts stay text too: a content file can break no page."""


@dataclass(frozen=True)
class FrontMatter:
    """The YAML at the top: values, and where each key stands."""

    values: dict[str, Any]
    lines: dict[str, int]

    def line(self, key: str) -> int:
        return self.lines.get(key, 1)


@dataclass
class Section:
    """A heading and the tokens below it, up to the next heading of its level or above."""

    title: str
    line: int
    tokens: list[Token] = field(default_factory=list)
    parts: list[Section] = field(default_factory=list)


def read(file: Path) -> tuple[FrontMatter, Section]:
    """The front matter, and the body as one section with a part for each `## ` in it; raises BadExercise."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadExercise(file, 1, f"it cannot be read: {error}.", "Save it as UTF-8 text.") from None
    lines = text.splitlines()
    if not lines or lines[0].strip() != _FENCE:
        raise BadExercise(file, 1, "there is no front matter.", "Begin the file with a line of three dashes.")
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == _FENCE), None)
    if end is None:
        raise BadExercise(file, 1, "the front matter has no end.", "Close it with a line of three dashes.")
    front = _front_matter(file, "\n".join(lines[1:end]))
    return front, _sections(file, "\n" * (end + 1) + "\n".join(lines[end + 1 :]))


def load_yaml(file: Path, text: str, first_line: int) -> Any:
    """YAML out of a content file; raises BadExercise with the line of the whole file."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = first_line + (mark.line if mark else 0)
        what = f"this is not YAML: {getattr(error, 'problem', None) or error}."
        raise BadExercise(
            file, line, what, "Put texts with a colon in quotes, and indent with spaces."
        ) from None


def _front_matter(file: Path, text: str) -> FrontMatter:
    values = load_yaml(file, text, 2)
    if not isinstance(values, dict):
        raise BadExercise(file, 2, "the front matter is no mapping.", "Write lines such as `title: …`.")
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    keys = node.value if isinstance(node, yaml.MappingNode) else []
    return FrontMatter(values, {key.value: key.start_mark.line + 2 for key, _ in keys})


def _sections(file: Path, text: str) -> Section:
    whole = Section("", 1)
    open_: list[Section] = [whole]
    tokens = MARKDOWN.parse(text)
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.type == "heading_open" and token.tag in ("h2", "h3") and token.level == 0:
            section = Section(tokens[place + 1].content, line_of(token))
            del open_[int(token.tag[1]) - 1 :]
            if len(open_) < int(token.tag[1]) - 1:
                mend = "Put it below a heading with two: `## `."
                raise BadExercise(file, section.line, "a heading with three # has no step.", mend)
            open_[-1].parts.append(section)
            open_.append(section)
            place += 3
            continue
        open_[-1].tokens.append(token)
        place += 1
    return whole


def render(tokens: Sequence[Token]) -> str:
    """HTML of these tokens."""
    return str(MARKDOWN.renderer.render(list(tokens), MARKDOWN.options, {}))


def render_text(text: str) -> str:
    """HTML of a piece of Markdown."""
    return str(MARKDOWN.render(text))


def render_line(text: str) -> str:
    """HTML of one line of Markdown, without a paragraph around it."""
    return str(MARKDOWN.renderInline(text))


def line_of(token: Token) -> int:
    """From 1, in the whole file."""
    return (token.map[0] if token.map else 0) + 1
