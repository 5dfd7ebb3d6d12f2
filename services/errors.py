"""The one tree of errors: each is an HTTP answer and a `*.failed` event alike."""

from __future__ import annotations

from services.words import say


class LabError(Exception):
    """Something the learner can act on: `kind` for programs, `message` and `hint` for people."""

    status = 500
    kind = "internal"
    hint: str = say("Look at the dashboard's own output; the whole error is there.")

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def as_dict(self) -> dict[str, str]:
        """`{"kind", "message", "hint"}`, the form of every error that leaves the dashboard."""
        return {"kind": self.kind, "message": self.message, "hint": self.hint}


class BadRequest(LabError):
    """The call itself is wrong: JSON, types, ranges, names."""

    status = 400
    kind = "bad_request"
    hint = say("See /api/openapi.json for what this call takes.")


class NotSignedIn(LabError):
    """No valid token or cookie came with the call."""

    status = 401
    kind = "not_signed_in"
    hint = say("Open the link that 'make run' printed, or send its token as a bearer token.")


class Refused(LabError):
    """Known who asks, but not from there: a cross-site call, for example."""

    status = 403
    kind = "refused"
    hint = say("Use Labdeck's own page, or send the token as a bearer token.")


class NotFound(LabError):
    """No workspace, replica or page of that name."""

    status = 404
    kind = "not_found"
    hint: str = say("Look at GET /api/workspaces/demo for what exists.")


class WrongPhase(LabError):
    """The call makes sense, but not while the lab is in this phase."""

    status = 409
    kind = "wrong_phase"
    hint = say("Wait for the current work to end, or launch the lab first.")


class NotOnThisEngine(LabError):
    """The engine of this machine cannot do it; another one could."""

    status = 409
    kind = "not_on_this_engine"
    hint = say("Run with the other engine: LAB_ENGINE=local or LAB_ENGINE=docker.")


class NotInThisApp(LabError):
    """The app that the replicas run cannot do it; the other one can."""

    status = 409
    kind = "not_in_this_app"
    hint = say("Stop the lab, and launch it with the other app.")


class TooLarge(LabError):
    """A body over the limit."""

    status = 413
    kind = "too_large"
    hint = say("Send at most 1 MiB.")


class BuildFailed(LabError):
    """An image or a program did not build; the message ends with the builder's own last words."""

    status = 502
    kind = "build_failed"
    hint = say("Read the build output above: the last lines say which step failed.")


class BuildCancelled(LabError):
    """Somebody ended a build before it was done; nothing of it is left."""

    status = 409
    kind = "build_cancelled"
    hint = say("Build again whenever you like: it begins where the cache ends.")


class ServiceFailed(LabError):
    """A service was started but died, or never became ready."""

    status = 502
    kind = "service_failed"
    hint = say("Read its last lines in the log, then launch again.")


class EngineUnavailable(LabError):
    """The engine does not answer, or lacks a program that it needs."""

    status = 503
    kind = "engine_unavailable"
    hint = say("Start Docker, or run with LAB_ENGINE=local.")


class PortTaken(LabError):
    """A fixed port of this machine is used by somebody else."""

    status = 503
    kind = "port_taken"
    hint = say("Stop the program that uses this port, or set another one and launch again.")


class EngineTimeout(LabError):
    """The engine took longer than the call allows."""

    status = 504
    kind = "engine_timeout"
    hint = say("Try again; if it stays so, restart the engine.")
