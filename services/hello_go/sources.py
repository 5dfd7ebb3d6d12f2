"""The sources of Hello-Go as chosen: one rendering that the page shows and the builder builds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.engines.base import Recipe
from services.hello_go.choice import Base, Choice
from services.hello_go.platforms import Platform
from services.settings import Settings

IMAGE = Path(__file__).parent / "image"
"""The sources as they come: what is chosen otherwise is put in at the places that these texts name."""

_MISTAKES = {
    "none": ("", ""),
    "misspelt": ("fmt.Fprint(w", "fmt.Fprnt(w"),
    "unused_import": ('\t"os"\n', '\t"os"\n\t"time"\n'),
    "missing_brace": ("\n\t})\n", "\n\t)\n"),
}


@dataclass(frozen=True)
class Sources:
    """What one image is built from."""

    name: str
    """The image's."""
    files: Mapping[str, str]
    """By name: Dockerfile, hello-go.go, go.mod."""

    @property
    def digest(self) -> str:
        """SHA-256 in hex: equal sources build equal images."""
        return hashlib.sha256(json.dumps([self.name, dict(self.files)]).encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Put them where the builder finds them; a file that is right already is left alone."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            path = folder / name
            if not path.exists() or path.read_text() != text:
                path.write_text(text)
            path.chmod(0o644)  # whatever the umask: the builder's cache knows the mode


def reference(base: Base, settings: Settings) -> str:
    """What stands after FROM."""
    return {
        "alpine": settings.image_runtime,
        "scratch": "scratch",
        "debian-slim": settings.image_debian,
        "distroless": settings.image_distroless,
    }[base]


def render(choice: Choice, settings: Settings, platform: Platform | None = None) -> Sources:
    """The sources of that choice; `platform` compiles for another processor than this machine's."""
    name = choice.name if platform is None else f"hello-go-{platform.slug}"
    files = {
        "Dockerfile": _dockerfile(choice, settings, name, platform),
        "hello-go.go": _program(choice),
        "go.mod": (IMAGE / "go.mod").read_text(),
    }
    return Sources(name, files)


def recipe(sources: Sources, choice: Choice, folder: Path, platform: Platform | None, images: bool) -> Recipe:
    """How an engine makes it; where there are `images` the Dockerfile says all."""
    arguments = {} if images else {"LDFLAGS": choice.flags, **(platform.variables if platform else {})}
    return Recipe(sources.name, folder, "go", arguments=arguments)


def _dockerfile(choice: Choice, settings: Settings, name: str, platform: Platform | None) -> str:
    single = choice.stages == "single"
    text = (IMAGE / ("single/Dockerfile" if single else "Dockerfile")).read_text()
    text = _put(text, "EXPOSE 8080\n", f"EXPOSE {choice.port}\n")
    text = _put(text, "FROM golang:1.26-alpine ", f"FROM {settings.image_golang} ")
    if not single:
        text = _put(text, "FROM alpine:3.23 ", f"FROM {reference(choice.base, settings)} ")
    label = "LABEL labdeck.image="
    text = _put(text, f"{label}{'hello-go-single' if single else 'hello-go'}\n", f"{label}{name}\n")
    flags = f'-ldflags "{choice.flags}" ' if choice.flags else ""
    text = _put(text, '-ldflags "-s -w" ', flags)
    return _put(text, "CGO_ENABLED=0 ", f"CGO_ENABLED=0 {platform.words} ") if platform else text


def _program(choice: Choice) -> str:
    text = (IMAGE / "hello-go.go").read_text()
    text = _put(text, *_MISTAKES[choice.mistake]) if choice.mistake != "none" else text
    text = _put(text, '":8080"', f'":{choice.port}"')
    return _put(text, ', "Hello-Go")', f", {_quoted(choice.greeting)})")


def _quoted(text: str) -> str:
    """As a Go string: JSON's escapes are Go's too."""
    return json.dumps(text, ensure_ascii=False)


def _put(text: str, old: str, new: str) -> str:
    """Replace the one place; another number of places is a mistake of ours."""
    if text.count(old) != 1:
        raise ValueError(f"{old!r} stands {text.count(old)} times in the source")
    return text.replace(old, new)
