"""The calls under /api/workspaces: validate, delegate, acknowledge; what happens arrives as events."""

from __future__ import annotations

import dataclasses
from typing import Any

from flask import Response

from services.affinity_lab.lab import AffinityLab
from services.blazor.source import AppUnavailable
from services.errors import (
    EngineTimeout,
    EngineUnavailable,
    NotInThisApp,
    NotOnThisEngine,
    ServiceFailed,
    WrongPhase,
)
from services.web import agent_script, answers, exercises, hello_go, log_file, runs, schemas
from services.web.access import asker
from services.web.answers import JobAccepted
from services.web.calls import Calls
from services.workspaces.workspace import Workspace

calls = Calls()
"""Every call of a workspace."""

_ASKS_A_SERVICE = (WrongPhase, ServiceFailed, EngineUnavailable, EngineTimeout)


@calls("GET", "", answers.Snapshot)
def snapshot(workspace: Workspace) -> dict[str, Any]:
    """The workspace now, and `seq`, the last event that it includes."""
    return workspace.snapshot()


@calls("DELETE", "", JobAccepted)
def reset(workspace: Workspace) -> str:
    """Remove everything of the workspace, then begin afresh."""
    return workspace.reset()


@calls("GET", "/events", answers.Events, query=schemas.EventsQuery)
def events(workspace: Workspace, query: schemas.EventsQuery) -> dict[str, Any]:
    """The log, ascending from `after`; ask again with the last seq until it equals `last`."""
    found = workspace.log.find(
        query.search(), after=query.after, before=query.before, at=query.moment(), limit=query.limit
    )
    newest = workspace.tail(1)
    return {
        "events": [event.as_dict() for event in found],
        "last": newest[-1]["seq"] if newest else 0,
    }


@calls("GET", "/events/outline", answers.Outline, query=schemas.OutlineQuery)
def events_outline(workspace: Workspace, query: schemas.OutlineQuery) -> dict[str, Any]:
    """How many events are meant and where they are, for who wants to jump in a long log."""
    return dataclasses.asdict(workspace.log.outline(query.search(), query.every))


@calls("GET", "/events/download", answers.Lines, query=schemas.DownloadQuery, media=log_file.MEDIA)
def download_events(workspace: Workspace, query: schemas.DownloadQuery) -> Response:
    """The events that are meant, up to the newest of now, as a file."""
    return log_file.response(workspace.name, workspace.log, query)


@calls("POST", "/affinity-lab/launch", JobAccepted, body=schemas.AffinityLaunch, raises=(AppUnavailable,))
def launch_affinity_lab(workspace: Workspace, body: schemas.AffinityLaunch) -> str:
    """Start replicas of an app, and the balancer."""
    return workspace.lab(AffinityLab).launch(body.app, by=asker())


@calls("POST", "/affinity-lab/stop", JobAccepted)
def stop_affinity_lab(workspace: Workspace) -> str:
    """Stop replicas, balancer and visitors."""
    return workspace.lab(AffinityLab).stop(by=asker())


@calls("PUT", "/replicas", JobAccepted, body=schemas.Scale)
def scale(workspace: Workspace, body: schemas.Scale) -> str:
    """Have `count` replicas, live."""
    return workspace.lab(AffinityLab).scale(body.count, by=asker())


@calls("POST", "/replicas/<replica>/kill", JobAccepted)
def kill_replica(workspace: Workspace, replica: str) -> str:
    """SIGKILL one replica; its circuits are lost."""
    return workspace.lab(AffinityLab).kill(replica, by=asker())


@calls("POST", "/replicas/<replica>/start", JobAccepted)
def start_replica(workspace: Workspace, replica: str) -> str:
    """Start a replica that is dead."""
    return workspace.lab(AffinityLab).start(replica, by=asker())


@calls("POST", "/replicas/<replica>/drain", JobAccepted)
def drain_replica(workspace: Workspace, replica: str) -> str:
    """Give one replica no new visitors, ask those it holds to take their memory elsewhere, then stop it."""
    return workspace.lab(AffinityLab).drain(replica, by=asker())


@calls("POST", "/replicas/<replica>/stop", JobAccepted)
def stop_replica(workspace: Workspace, replica: str) -> str:
    """Stop one replica in good order, the balancer told first; it can be started again."""
    return workspace.lab(AffinityLab).stop_replica(replica, by=asker())


@calls("POST", "/replicas/<replica>/restart", JobAccepted)
def restart_replica(workspace: Workspace, replica: str) -> str:
    """Stop one replica in good order and start it again; its circuits are lost."""
    return workspace.lab(AffinityLab).restart(replica, by=asker())


@calls("POST", "/replicas/<replica>/freeze", JobAccepted)
def freeze_replica(workspace: Workspace, replica: str) -> str:
    """Stop one replica in its place: it keeps memory and connections, and answers nothing."""
    return workspace.lab(AffinityLab).freeze(replica, by=asker())


@calls("POST", "/replicas/<replica>/thaw", JobAccepted)
def thaw_replica(workspace: Workspace, replica: str) -> str:
    """Let a frozen replica go on."""
    return workspace.lab(AffinityLab).thaw(replica, by=asker())


@calls("POST", "/balancer/restart", JobAccepted)
def restart_balancer(workspace: Workspace) -> str:
    """Stop the balancer and start it again, with the same replicas and affinity."""
    return workspace.lab(AffinityLab).restart_balancer(by=asker())


@calls("PUT", "/affinity", answers.AffinitySet, body=schemas.SetAffinity, raises=_ASKS_A_SERVICE)
def set_affinity(workspace: Workspace, body: schemas.SetAffinity) -> dict[str, Any]:
    """Set affinity; answers once the balancer obeys it. Live connections stay open."""
    return workspace.lab(AffinityLab).set_affinity(body.given(), by=asker())


@calls("PUT", "/visitors", JobAccepted, body=schemas.SetVisitors, raises=(NotOnThisEngine,))
def set_visitors(workspace: Workspace, body: schemas.SetVisitors) -> str:
    """Change the crowd; what is left out stays as it is."""
    return workspace.lab(AffinityLab).set_visitors(body.given(), by=asker())


@calls("PUT", "/page-keys", JobAccepted, body=schemas.SetPageKeys)
def set_page_keys(workspace: Workspace, body: schemas.SetPageKeys) -> str:
    """Share the keys that sign pages, or not; the replicas are restarted one after the other."""
    return workspace.lab(AffinityLab).set_page_keys(body.shared, by=asker())


@calls("PUT", "/app-settings", JobAccepted, body=schemas.SetAppSettings, raises=(AppUnavailable,))
def set_app_settings(workspace: Workspace, body: schemas.SetAppSettings) -> str:
    """Have Blazor behave otherwise; its replicas are restarted one after the other."""
    return workspace.lab(AffinityLab).set_app_settings(body.given(), by=asker())


@calls("GET", "/visitors/<visitor>/story", answers.Story, query=schemas.StoryQuery)
def visitor_story(workspace: Workspace, visitor: str, query: schemas.StoryQuery) -> dict[str, Any]:
    """A visitor's last attempt to connect: each request, who was asked, who holds, and the verdict."""
    return workspace.lab(AffinityLab).story(visitor, query.before)


@calls(
    "POST", "/connections/drop", answers.Dropped, body=schemas.Drop, raises=(*_ASKS_A_SERVICE, NotInThisApp)
)
def drop_connections(workspace: Workspace, body: schemas.Drop) -> dict[str, int]:
    """Cut connections as a bad network would, with a real TCP abort."""
    lab = workspace.lab(AffinityLab)
    return {"dropped": lab.drop(body.visitor, body.replica, body.connection, by=asker())}


calls.all += hello_go.calls.all
calls.all += agent_script.calls.all
calls.all += runs.calls.all
calls.all += exercises.calls.all
