"""What calls take: every field with its range, nothing that is not named here."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from services.events.outcomes import OUTCOMES
from services.events.search import Search, listed, words_of
from services.settings import Settings

_LARGEST_SEQ = 2**53
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""Of a visitor or a replica."""


def _some_of(*names: str) -> str:
    """A pattern: one of these, or several between commas."""
    one = f"({'|'.join(names)})"
    return f"^{one}(,{one})*$"


class Body(BaseModel):
    """A JSON body: right types or refused, unknown fields refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    at_most: ClassVar[dict[str, str]] = {}
    """Field → the setting that is its upper limit."""

    def given(self) -> dict[str, Any]:
        """Only the fields that the caller set; null counts as not set."""
        return self.model_dump(exclude_unset=True, exclude_none=True)


class Nothing(Body):
    """Calls that need no details take no body, or an empty object."""


class AffinityLaunch(Body):
    """Which app the replicas run."""

    app: Literal["circuit", "blazor"] = "circuit"


class Scale(Body):
    """How many replicas there shall be."""

    at_most: ClassVar = {"count": "max_replicas"}
    count: int = Field(ge=1)


class AffinityCookie(Body):
    """The cookie that keeps a visitor on a replica; what is left out stays as it is."""

    name: str | None = Field(None, pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    path: str | None = Field(None, pattern=r"^/[A-Za-z0-9_./-]{0,255}$")
    ttl_seconds: int | None = Field(None, ge=0, le=30 * 24 * 3600)
    same_site: Literal["Lax", "Strict", "None"] | None = None
    secure: bool | None = None
    strict: bool | None = None


class SetAffinity(Body):
    """How visitors are kept on a replica, and who gets those that are not; what is left out stays."""

    mode: Literal["none", "cookie", "source_ip"] | None = None
    algorithm: Literal["round_robin", "least_request", "random"] | None = None
    cookie: AffinityCookie | None = None

    @model_validator(mode="after")
    def _says_something(self) -> SetAffinity:
        if not self.given():
            raise ValueError("name at least one thing to set, such as mode")
        return self


class SetVisitors(Body):
    """The crowd; what is left out stays as it is."""

    at_most: ClassVar = {"count": "max_visitors"}
    count: int | None = Field(None, ge=0)
    transport: Literal["auto", "WebSockets", "ServerSentEvents", "LongPolling"] | None = None
    protocol: Literal["json", "messagepack", "blazorpack"] | None = None
    skip_negotiation: bool | None = None
    reconnect: bool | None = None
    reload_seconds: int | None = Field(None, ge=1, le=3600)
    cookies: bool | None = Field(None, description="False: clients without a cookie jar.")
    one_address: bool | None = Field(None, description="True: everyone behind one address.")
    anew: bool | None = Field(None, description="True: all leave and come again, without any cookie.")

    @model_validator(mode="after")
    def _says_something(self) -> SetVisitors:
        if not self.given():
            raise ValueError("name at least one thing to set, such as count")
        return self


class SetPageKeys(Body):
    """Whether all replicas sign their pages with one key, or each with its own."""

    shared: bool


class SetAppSettings(Body):
    """How Blazor behaves; what is left out stays. Its replicas restart one after the other."""

    transports: Literal["auto", "webSockets", "longPolling", "webSockets,longPolling"] | None = None
    skip_negotiation: bool | None = Field(None, description="True: WebSockets at once, no negotiate.")
    prerender: bool | None = Field(None, description="True: the page comes with the component drawn.")
    retention_seconds: int | None = Field(None, ge=1, le=3600)
    shared_store: bool | None = Field(
        None, description="True: keys, and circuits whose time is over, go into a store that all share."
    )

    @model_validator(mode="after")
    def _says_something(self) -> SetAppSettings:
        if not self.given():
            raise ValueError("name at least one thing to set, such as retention_seconds")
        return self


class Drop(Body):
    """Which connections are cut: one visitor's, one replica's, one by its id, or with none of these all."""

    visitor: Name | None = None
    replica: Name | None = None
    connection: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$")


class EventsFilter(BaseModel):
    """Which lines of the log are meant: all that is given must fit; of values between commas, any."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str | None = Field(None, max_length=1000, description="Such as `replica-2,balancer`.")
    kind: str | None = Field(
        None, max_length=2000, description="Such as `circuit.rejected`; `circuit.` means all below it."
    )
    level: str | None = Field(None, pattern=_some_of("info", "warning", "error"))
    outcome: str | None = Field(
        None, pattern=_some_of(*OUTCOMES), description="The shape that the page draws beside the line."
    )
    visitor: str | None = Field(None, max_length=100, description="Such as `visitor-7`.")
    q: str | None = Field(
        None,
        max_length=200,
        description="Words: each must occur in the line or in its visitor, connection or circuit.",
    )

    def search(self) -> Search:
        """The same for the log."""
        return Search(
            listed(self.source),
            listed(self.kind),
            listed(self.level),
            listed(self.outcome),
            self.visitor,
            words_of(self.q or ""),
        )


class EventsQuery(EventsFilter):
    """Which part of the log."""

    after: int = Field(0, ge=0, le=_LARGEST_SEQ, description="Only events with a larger seq.")
    before: int | None = Field(
        None, ge=1, le=_LARGEST_SEQ, description="Only events with a smaller seq; of these, the newest."
    )
    at: str | None = Field(
        None,
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z$",
        description="Nothing from before the first event at or after this moment (UTC).",
    )
    limit: int = Field(1000, ge=1, le=2000)

    def moment(self) -> str | None:
        """`at` as events have it, with milliseconds."""
        return self.at.replace("Z", ".000Z") if self.at and "." not in self.at else self.at


class OutlineQuery(EventsFilter):
    """Which lines, and how coarse."""

    every: int = Field(200, ge=50, le=2000, description="So many events lie between two starts.")


class DownloadQuery(EventsFilter):
    """Which lines, and how they are written."""

    format: Literal["jsonl", "text"] = "jsonl"


class StoryQuery(BaseModel):
    """Which attempt of the visitor."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    before: int | None = Field(
        None, ge=1, le=_LARGEST_SEQ, description="The last attempt that began before this seq; else the last."
    )


class Watch(Body):
    """What a browser sends to watch a workspace."""

    workspace: str = Field(max_length=63)
    after: int | None = Field(None, ge=0, le=_LARGEST_SEQ)


class Unwatch(Body):
    """What a browser sends to look away."""

    workspace: str = Field(max_length=63)


B = TypeVar("B", bound=Body)


def within(body: type[B], settings: Settings) -> type[B]:
    """The same body with the upper limits that the settings name."""
    limited: dict[str, Any] = {
        name: (Annotated[field.annotation, Field(le=getattr(settings, body.at_most[name]))], field)
        for name, field in body.model_fields.items()
        if name in body.at_most
    }
    if not limited:
        return body
    return create_model(body.__name__, __base__=body, __doc__=body.__doc__, **limited)
