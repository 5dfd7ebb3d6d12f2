"""What calls answer, as /api/openapi.json describes it; tests hold real answers against it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Phase = Literal["stopped", "starting", "running", "stopping", "failed"]


class Answer(BaseModel):
    """More fields may come."""

    model_config = ConfigDict(extra="allow")


class Problem(BaseModel):
    """`kind` for programs, `message` and `hint` for people."""

    kind: str
    message: str
    hint: str


class ErrorAnswer(BaseModel):
    """Every answer from 400 on."""

    error: Problem


class JobAccepted(Answer):
    """The work is queued; what happens arrives as events."""

    job: str


class EngineFacts(Answer):
    """Where services run, and why there."""

    name: str
    version: str | None
    limits: list[str]
    reason: str


class HelloGo(Answer):
    """The Hello-Go lab."""

    phase: Phase
    url: str | None
    error: Problem | None


class Replica(Answer):
    """One copy of the circuit app; `healthy` is what the balancer's health checks say, null at first."""

    name: str
    phase: Phase | Literal["frozen"]
    healthy: bool | None
    connections: int
    circuits: int


class CookieNow(Answer):
    """The cookie that keeps visitors; `strict`: a dead replica's visitors get 503 instead of another one."""

    name: str
    path: str
    ttl_seconds: int
    same_site: str
    secure: bool
    strict: bool


class AffinityNow(Answer):
    """How the balancer keeps visitors at the moment; `cookie` is there in mode cookie."""

    mode: str
    algorithm: str
    cookie: CookieNow | None = None


class Balancer(Answer):
    """Envoy and its controller."""

    phase: Phase
    url: str | None
    affinity: AffinityNow


class App(Answer):
    """A program that the replicas can run."""

    name: str
    available: bool
    reason: str | None
    """Why it cannot be launched here, and the next move."""


class Visitors(Answer):
    """The crowd of virtual visitors."""

    count: int
    connected: int
    failed: int
    transport: str
    protocol: str
    skip_negotiation: bool
    reconnect: bool
    cookies: bool
    one_address: bool
    own_addresses: bool
    """Whether this engine can give each visitor an address of its own."""


class PageKeys(Answer):
    """What pages are signed with."""

    shared: bool


class AppSettings(Answer):
    """How Blazor behaves; `store_reason` says why there can be no shared store, null where there can."""

    transports: str
    skip_negotiation: bool
    prerender: bool
    retention_seconds: int
    shared_store: bool
    store_reason: str | None


class Store(Answer):
    """The store that replicas share."""

    phase: Phase
    error: Problem | None


class RunNow(Answer):
    """The run that measures this lab, and `last`, the newest that has ended."""

    phase: Literal["idle", "measuring", "putting_back"]


class Snapshot(Answer):
    """The workspace now: the fold of all events up to `seq`."""

    workspace: str
    seq: int
    engine: EngineFacts
    hello_go: HelloGo
    replicas: list[Replica]
    balancer: Balancer
    app: str
    apps: list[App]
    visitors: Visitors
    page_keys: PageKeys
    app_settings: AppSettings
    store: Store
    run: RunNow


class Event(Answer):
    """One numbered line of the log; `patch` is an RFC 7396 merge patch to the state."""

    seq: int
    at: str
    source: str
    kind: str
    level: Literal["info", "warning", "error"]
    text: str
    data: dict[str, Any]


class Events(Answer):
    """A page of the log, ascending; `last` is the newest seq there is."""

    events: list[Event]
    last: int


class OutlineCounts(Answer):
    """Of all events of the log, whatever is asked for."""

    outcome: dict[str, int]
    source: dict[str, int]
    kind: dict[str, int]


class Outline(Answer):
    """The log in a few numbers; `starts` has the seq of the first event asked for and of each `every`-th."""

    first: int
    last: int
    total: int
    every: int
    starts: list[int]
    counts: OutlineCounts


class Lines(Answer):
    """A file, one event a line: JSON, or text with time, level, source, kind and sentence between tabs."""


class AffinitySet(Answer):
    """The balancer obeys it already."""

    affinity: AffinityNow
    ms: float


class Dropped(Answer):
    """How many connections were cut."""

    dropped: int


class SentCookie(Answer):
    """The affinity cookie of a request, decoded; `ignored` is one from before the last toggle."""

    name: str
    address: str | None
    replica: str | None
    expires: str | None
    expired: bool
    ignored: bool


class StoryStep(Answer):
    """One request of a visitor; calls on an open connection have no status and carry no cookie."""

    seq: int
    at: str
    kind: Literal["page", "negotiate", "connect", "send", "call", "other", "late"]
    request: str
    cookie: SentCookie | None
    cookie_words: str | None
    asked: str | None
    holder: str | None
    fate: str | None
    status: int | None
    answer: str
    refused: bool
    sentence: str


class Remedy(Answer):
    """Something that people try, and whether it helps against this failure."""

    what: str
    outcome: Literal["cures", "partly", "no"]
    why: str


class StoryVerdict(Answer):
    """What came of it and why; `failure` is null when nothing failed."""

    failure: (
        Literal[
            "connection_unknown",
            "circuit_unknown",
            "page_from_elsewhere",
            "memory_unreadable",
            "no_replica",
        ]
        | None
    )
    title: str
    reason: str
    again: str | None
    helped: list[Remedy]


class Story(Answer):
    """A visitor's attempt to connect, from its page load or reconnect to the outcome."""

    visitor: str
    heading: str
    steps: list[StoryStep]
    outcome: Literal["connected", "memory_lost", "failed", "under_way", "left"]
    verdict: StoryVerdict
    text: str


class Health(Answer):
    """The dashboard answers."""

    status: Literal["ok"]
    engine: str
    version: str
