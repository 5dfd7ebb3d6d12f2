"""What each line that matters is there for, beside it on the page."""

from __future__ import annotations

import re

_NOTES: dict[str, tuple[tuple[str, str], ...]] = {
    "Dockerfile": (
        (r"FROM scratch AS base", "What the app will live in: nothing."),
        (
            r"FROM \S*distroless\S* AS base",
            "What the app will live in: no shell.",
        ),
        (r"FROM \S+ AS base", "What the app will live in: small."),
        (r"FROM \S+ AS build", "A second start: here the compiler lives."),
        (r"FROM \S+ AS single", "One stage: the compiler stays."),
        (r"FROM base AS final", "Back to the small one."),
        (r"EXPOSE", "A note. It publishes nothing: -p does."),
        (r"COPY go", "Sources in. Nothing else of the folder."),
        (r"RUN .*GOARCH", "Compiles for another processor, here."),
        (r"RUN .*go build", "The one step that needs the toolchain. Without C: the binary needs no library."),
        (r"COPY --from=build", "Only the result crosses over."),
        (r"USER", "Not root, not even inside."),
        (r"LABEL", "So that Labdeck finds it again."),
        (r"CMD", "What a container of it runs."),
    ),
    "hello-go.go": (
        (r'"net/http"', "A web server in the standard library."),
        (r'"time"', "Not used: Go refuses to compile that."),
        (r"http\.HandleFunc", "Every path gets this answer."),
        (r"fmt\.Fprnt", "A misspelt name: the compiler will tell."),
        (r"fmt\.Fprint", "The greeting. Change it, build again."),
        (r"\)", "A brace is missing here."),
        (r"listen := os\.Getenv", "Labdeck may say where to listen."),
        (r'listen = ":', "The port inside: the last number of -p."),
        (r"log\.Fatal", "Serves until it is told to end."),
    ),
}


def note(file: str, line: str) -> str:
    """The sentence beside that line; empty where it explains itself."""
    text = line.strip()
    if file == "hello-go.go" and text == ")" and not line.startswith("\t"):
        return ""  # the end of the imports
    return next((words for pattern, words in _NOTES.get(file, ()) if re.match(pattern, text)), "")
