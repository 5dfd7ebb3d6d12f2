"""The exercises of a workspace in use: begin, check, start a step over, present."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import urllib3

from services.errors import BadRequest, LabError, NotFound, WrongPhase
from services.events.event import Event, now
from services.events.log import EventLog
from services.exercises.checks import CHECKS, Check, Evidence, Result
from services.exercises.checks.registry import Page
from services.exercises.exercise import CheckUse, Exercise, Step
from services.exercises.progress import Progress
from services.words import say

Ask = Callable[[str], Mapping[str, Any]]
"""GET of the HTTP contract, by its path below the workspace."""

_MOST_EVENTS = 20_000
_PAGE = 2000
_LONGEST_BODY = 4096
_SOURCE = "exercises"


class Scene(Protocol):
    """What is asked of a workspace."""

    name: str
    log: EventLog

    def snapshot(self) -> dict[str, Any]: ...


class Course:
    """All exercises, and the progress of each workspace in them."""

    def __init__(self, exercises: Sequence[Exercise], progress: Progress) -> None:
        self.exercises = tuple(exercises)
        self._named = {one.slug: one for one in exercises}
        self._progress = progress
        self._http = urllib3.PoolManager(maxsize=2, retries=False)
        self._passing = threading.Lock()

    def get(self, slug: str) -> Exercise:
        """Raises NotFound."""
        if slug not in self._named:
            raise NotFound(
                say("There is no exercise %(slug)s.", slug=repr(slug)),
                hint=say("There are %(names)s.", names=", ".join(self._named)),
            )
        return self._named[slug]

    def overview(self, workspace: str, language: str = "en") -> list[dict[str, Any]]:
        """Every exercise with how many of its steps are done, and which comes next."""
        begun, steps = self._progress.begun(workspace), self._progress.steps(workspace)
        passed = {key for key, step in steps.items() if step["passed_at"]}
        return [
            {
                "slug": one.slug,
                "title": one.title,
                "minutes": one.minutes,
                "begun": one.slug in begun,
                "steps": [
                    {"id": step.id, "title": step.title, "passed": (one.slug, step.id) in passed}
                    for step in one.steps
                ],
            }
            for one in (each.told_in(language) for each in self.exercises)
        ]

    def show(self, workspace: str, slug: str, language: str = "en") -> dict[str, Any]:
        """One exercise: its steps with what may be clicked and what is checked, progress and time."""
        exercise = self.get(slug).told_in(language)
        begun = self._progress.begun(workspace).get(slug)
        known = self._progress.steps(workspace, slug)
        extra = begun["extra_minutes"] if begun else 0
        return {
            "slug": slug,
            "begun_at": begun["begun_at"] if begun else None,
            "minutes": exercise.minutes + extra,
            "extra_minutes": extra,
            "open": begun["step"] if begun else None,
            "steps": [_step(step, known.get((slug, step.id))) for step in exercise.steps],
        }

    def open(self, scene: Scene, slug: str, name: str) -> dict[str, Any]:
        """Begin a step: what happens from now on counts for it. One that was begun goes on as it was."""
        exercise, step = self._find(slug, name)
        self._progress.begin(scene.name, slug, now(), name)
        if (slug, name) not in self._progress.steps(scene.name, slug):
            self._progress.step(scene.name, slug, step.id, since=scene.log.look()[0])
        return self.show(scene.name, exercise.slug)

    def start_over(self, scene: Scene, slug: str, name: str) -> dict[str, Any]:
        """Forget what was done in a step; what happens from now on counts."""
        self._find(slug, name)
        self._progress.begin(scene.name, slug, now(), name)
        self._progress.step(scene.name, slug, name, since=scene.log.look()[0])
        return self.show(scene.name, slug)

    def check(
        self,
        scene: Scene,
        slug: str,
        name: str,
        answers: Sequence[str],
        ask: Ask,
        *,
        reveal: bool = False,
    ) -> dict[str, Any]:
        """Ask all checks of a step that was begun; when all pass together, the step is done and stays so.

        `answers` are the student's to the step's questions, in order; `reveal` tells the right ones.
        Raises NotFound, WrongPhase.
        """
        exercise, step = self._find(slug, name)
        known = self._progress.steps(scene.name, slug).get((slug, name))
        if known is None:
            raise WrongPhase(
                say("This step is not begun."), hint=say("Open it first; what happens then counts.")
            )
        if known["passed_at"]:
            return {"passed": True, "checks": known["results"]}
        left = list(answers)
        results = []
        for use in step.checks:
            answer = (left.pop(0) if left else "") if use.question else ""
            results.append(_shown(use.name, self._judge(scene, use, known["since"], answer, ask), reveal))
        passed = all(result["passed"] for result in results)
        if passed:
            self._pass(scene, exercise, step, known["since"], results)
        return {"passed": passed, "checks": results}

    def ask_check(
        self, scene: Scene, name: str, arguments: Mapping[str, Any], after: int, ask: Ask
    ) -> dict[str, Any]:
        """One check by its name, over the events after `after`; raises NotFound, BadRequest."""
        if name not in CHECKS:
            raise NotFound(
                say("There is no check %(name)s.", name=repr(name)),
                hint=say("There are %(names)s.", names=", ".join(sorted(CHECKS))),
            )
        if problem := CHECKS[name].problem(arguments):
            raise BadRequest(problem)
        use = CheckUse(name, arguments)
        return _shown(name, self._judge(scene, use, after, "", ask), reveal=False)

    def extend(self, workspace: str, slug: str, minutes: int) -> dict[str, Any]:
        """So many minutes more; raises WrongPhase for an exercise that nobody has begun."""
        if self.get(slug).slug not in self._progress.begun(workspace):
            raise WrongPhase(
                say("This exercise is not begun."), hint=say("Begin it; its time runs from then on.")
            )
        self._progress.extend(workspace, slug, minutes)
        return self.show(workspace, slug)

    def forget(self, workspace: str, slug: str) -> dict[str, Any]:
        """Start the exercise over."""
        self._progress.forget(workspace, self.get(slug).slug)
        return self.show(workspace, slug)

    # presenting

    def presented(self, workspace: str) -> dict[str, str] | None:
        """What is on the projector; None when nothing is, or an exercise that is no more."""
        found = self._progress.presented(workspace)
        exercise = self._named.get(found["exercise"]) if found else None
        return found if found and exercise and exercise.step(found["step"]) else None

    def present(self, scene: Scene, slug: str | None, name: str | None) -> None:
        """Put a step on the projector, so that followers see it; with None the presentation ends."""
        if slug is None or name is None:
            self._progress.present(scene.name, None, None)
            scene.log.record(_SOURCE, "presentation.ended", "The presentation is over.")
            return
        exercise, step = self._find(slug, name)
        self._progress.present(scene.name, slug, name)
        where = f"step {exercise.number(name)} of {len(exercise.steps)} of {exercise.title}"
        text = f"Presented: {where}: {step.title}."
        scene.log.record(_SOURCE, "presentation.moved", text, data={"exercise": slug, "step": name})

    # inside

    def _find(self, slug: str, name: str) -> tuple[Exercise, Step]:
        exercise = self.get(slug)
        step = exercise.step(name)
        if step is None:
            names = ", ".join(one.id for one in exercise.steps)
            raise NotFound(
                say("%(slug)s has no step %(name)s.", slug=slug, name=repr(name)),
                hint=say("Its steps are %(names)s.", names=names),
            )
        return exercise, step

    def _judge(self, scene: Scene, use: CheckUse, since: int, answer: str, ask: Ask) -> Result:
        """A check that cannot be asked, since the engine is away for example, has not passed."""
        check = CHECKS[use.name]
        evidence = Evidence(scene.snapshot(), _events(scene.log, check, since), ask, self._fetch, answer)
        try:
            return check.judge(evidence, **use.arguments)
        except LabError as error:
            return Result(False, check.about, f"{error.message} {error.hint}")

    def _fetch(self, url: str) -> Page | None:
        try:
            answer = self._http.request("GET", url, timeout=3.0, redirect=False, preload_content=False)
            body = answer.read(_LONGEST_BODY).decode(errors="replace")
            answer.close()
        except urllib3.exceptions.HTTPError:
            return None
        return Page(answer.status, body)

    def _pass(
        self, scene: Scene, exercise: Exercise, step: Step, since: int, results: list[dict[str, Any]]
    ) -> None:
        """Once, though several pages may ask at the same time; not when it was started over meanwhile."""
        key = (exercise.slug, step.id)
        told = [{name: one[name] for name in ("name", "passed", "expected", "seen")} for one in results]
        with self._passing:
            now_known = self._progress.steps(scene.name, exercise.slug).get(key)
            if now_known is None or now_known["passed_at"] or now_known["since"] != since:
                return
            self._progress.step(scene.name, *key, since=since, passed_at=now(), results=told)
        where = f"Step {exercise.number(step.id)} of {len(exercise.steps)} of {exercise.title}"
        data = {"exercise": exercise.slug, "step": step.id}
        scene.log.record(_SOURCE, "exercise.step_passed", f"{where} is done: {step.title}.", data=data)


def _events(log: EventLog, check: Check, since: int) -> list[dict[str, Any]]:
    """What the check reads, ascending, each event once; of a very long step its newest part."""
    since = max(since, log.look()[0] - _MOST_EVENTS)
    found = {event.seq: event for kind in check.kinds for event in _of_kind(log, kind, since)}
    return [found[seq].as_dict() for seq in sorted(found)]


def _of_kind(log: EventLog, kind: str, after: int) -> Iterator[Event]:
    while page := log.read(after, _PAGE, None, kind):
        yield from page
        after = page[-1].seq
        if len(page) < _PAGE:
            return


def _shown(name: str, result: Result, reveal: bool) -> dict[str, Any]:
    told = asdict(result)
    return {"name": name} | {key: value for key, value in told.items() if key != "answer" or reveal}


def _step(step: Step, known: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "id": step.id,
        "title": step.title,
        "since": known["since"] if known else None,
        "passed": bool(known and known["passed_at"]),
        "results": known["results"] if known else [],
        "buttons": [[deed.as_dict() for deed in deeds] for deeds in step.buttons],
        "solve": [deed.as_dict() for deed in step.solve],
        "reset": [deed.as_dict() for deed in step.reset],
        "checks": [
            {
                "name": use.name,
                "about": CHECKS[use.name].about,
                "kinds": [*CHECKS[use.name].kinds, *CHECKS[use.name].wakes],
                "question": use.question,
            }
            for use in step.checks
        ],
    }
