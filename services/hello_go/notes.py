"""What each line that matters is there for, beside it on the page."""

from __future__ import annotations

import re

_NOTES: dict[str, tuple[tuple[str, str], ...]] = {
    "Dockerfile": (
        (r"FROM scratch AS base", "What the app will live in: nothing at all. No shell, no file."),
        (
            r"FROM \S*distroless\S* AS base",
            "What the app will live in: certificates and time zones, no shell.",
        ),
        (r"FROM \S+ AS base", "What the app will live in: small."),
        (r"FROM \S+ AS build", "A second start: here the compiler lives."),
        (r"FROM \S+ AS single", "One stage only: the compiler lives here, and stays."),
        (r"FROM base AS final", "Back to the small one. What came between is left behind."),
        (r"EXPOSE", "A note to readers. It publishes nothing; -p does."),
        (r"COPY go", "The sources go in, and nothing else of the folder."),
        (r"RUN .*GOARCH", "Go compiles for another processor: no emulator, no other machine."),
        (r"RUN .*go build", "The one step that needs the toolchain. No C: the binary needs no library."),
        (r"COPY --from=build", "Only the result crosses over. The compiler stays."),
        (r"USER", "Not root, not even inside."),
        (r"LABEL", "So that Labdeck finds the image again."),
        (r"CMD", "What a container of it runs."),
    ),
    "hello-go.go": (
        (r'"net/http"', "A web server out of the standard library."),
        (r'"time"', "Imported and not used: Go refuses to compile that."),
        (r"http\.HandleFunc", "Every path gets this answer."),
        (r"fmt\.Fprnt", "A misspelt name. The compiler will say so."),
        (r"fmt\.Fprint", "The greeting. Change it and build again."),
        (r"\)", "A brace is missing here."),
        (r"listen := os\.Getenv", "Not in the article: Labdeck says where to listen."),
        (r'listen = ":', "The port inside. It must match what -p names after the colon."),
        (r"log\.Fatal", "Serves until it is told to end."),
    ),
}


def note(file: str, line: str) -> str:
    """The sentence beside that line; empty where it explains itself."""
    text = line.strip()
    if file == "hello-go.go" and text == ")" and not line.startswith("\t"):
        return ""  # the end of the imports
    return next((words for pattern, words in _NOTES.get(file, ()) if re.match(pattern, text)), "")
