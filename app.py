"""The composition root: settings → store → engine → workspaces → web. Nothing else lives here."""

from __future__ import annotations

import os

from flask import Flask

from services.affinity_lab.lab import AffinityLab
from services.agent_script.lab import AgentScript
from services.engines.choice import choose
from services.events.store import Store
from services.hello_go.lab import HelloGo
from services.settings import Settings, read_settings
from services.web.keys import secret, with_kept_token
from services.web.site import make_site
from services.workspaces.house import Workspaces


def create_app(settings: Settings | None = None) -> Flask:
    """The dashboard, looking after what runs already; raises BadSetting or EngineUnavailable."""
    settings = with_kept_token(settings or read_settings(os.environ))
    store = Store(settings.database_url)
    engine, reason = choose(settings)
    house = Workspaces(settings, engine, reason, store, secret(settings), (HelloGo, AffinityLab, AgentScript))
    app = make_site(settings, house, store)
    house.start()
    return app
