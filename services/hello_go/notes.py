"""What each line that matters is there for, beside it on the page."""

from __future__ import annotations

import re

from services.words import say

_NOTES: dict[str, tuple[tuple[str, str], ...]] = {
    "Dockerfile": (
        (r"FROM scratch AS base", say("What the app will live in: nothing.")),
        (
            r"FROM \S*distroless\S* AS base",
            say("What the app will live in: no shell."),
        ),
        (r"FROM \S+ AS base", say("What the app will live in: small.")),
        (r"FROM \S+ AS build", say("A second start: here the compiler lives.")),
        (r"FROM \S+ AS single", say("One stage: the compiler stays.")),
        (r"FROM base AS final", say("Back to the small one.")),
        (r"EXPOSE", say("A note. It publishes nothing: -p does.")),
        (r"COPY go", say("Sources in. Nothing else of the folder.")),
        (r"RUN .*GOARCH", say("Compiles for another processor, here.")),
        (
            r"RUN .*go build",
            say("The one step that needs the toolchain. Without C: the binary needs no library."),
        ),
        (r"COPY --from=build", say("Only the result crosses over.")),
        (r"USER", say("Not root, not even inside.")),
        (r"LABEL", say("So that Labdeck finds it again.")),
        (r"CMD", say("What a container of it runs.")),
    ),
    "hello-go.go": (
        (r'"net/http"', say("A web server in the standard library.")),
        (r'"time"', say("Not used: Go refuses to compile that.")),
        (r"http\.HandleFunc", say("Every path gets this answer.")),
        (r"fmt\.Fprnt", say("A misspelt name: the compiler will tell.")),
        (r"fmt\.Fprint", say("The greeting. Change it, build again.")),
        (r"\)", say("A brace is missing here.")),
        (r"listen := os\.Getenv", say("Labdeck may say where to listen.")),
        (r'listen = ":', say("The port inside: the last number of -p.")),
        (r"log\.Fatal", say("Serves until it is told to end.")),
    ),
}


def note(file: str, line: str) -> str:
    """The sentence beside that line; empty where it explains itself."""
    text = line.strip()
    if file == "hello-go.go" and text == ")" and not line.startswith("\t"):
        return ""  # the end of the imports
    return next((words for pattern, words in _NOTES.get(file, ()) if re.match(pattern, text)), "")
