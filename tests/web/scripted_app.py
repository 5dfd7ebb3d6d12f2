"""The dashboard on the scripted engine as gunicorn wants it, to be served in a process of its own."""

import os

from tests.web.conftest import compose


def create():
    app, settings, engine = compose(os.environ)
    engine.close = (settings.state_dir / "let-go").touch
    return app
