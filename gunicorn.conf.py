"""How the dashboard is served, and why so."""

import os
import sys

from services.settings import read_settings
from services.web.keys import with_kept_token

_settings = with_kept_token(read_settings(os.environ))


def _in_url(host):
    return f"[{host}]" if ":" in host else host


# python-socketio imports its asyncio client where it finds aiohttp: 9 MB that no dashboard uses. Lab programs
# do, in processes of their own.
sys.modules["aiohttp"] = None

wsgi_app = "app:create_app()"
bind = f"{_in_url(_settings.host)}:{_settings.port}"

# One worker: it holds the workspaces, their log streams and the watchers. A second one would need
# affinity and a message queue before it; the dashboard is itself a stateful socket app.
workers = 1

# gevent, and simple-websocket on top (gevent-websocket is unmaintained): 400 watchers at ten batches a
# second took 82 ms (p99) and one thread, against 668 ms and 803 threads. The app is made in the worker,
# after gevent has patched `threading`; with preload_app it would be made before.
worker_class = "services.web.worker.Worker"
preload_app = False
worker_connections = 1000

# A worker that does not breathe for half a minute hangs: a new one adopts what runs.
timeout = 30
# Idle connections of browsers stay a little; WebSockets are not idle in this sense.
keepalive = 5
# The worker ends at once (services/web/worker.py); this is for a busy machine, where the log comes first.
graceful_timeout = 10

# No X-Forwarded header is believed, not even from this machine: LAB_PUBLIC_URL says what a proxy would.
forwarded_allow_ips = ""

accesslog = None
loglevel = "warning"
control_socket_disable = True


def post_worker_init(worker):
    """Say what runs where and why; the one link is all that a person needs."""
    facts = worker.wsgi.extensions["labdeck"].house.engine_facts()
    name = " ".join(part for part in (facts["name"], facts["version"]) if part)
    everywhere = _settings.host in ("0.0.0.0", "::")
    host = "127.0.0.1" if everywhere else _in_url(_settings.host)
    elsewhere = " (from other machines with this machine's name)" if everywhere else ""
    if _settings.public_url:
        elsewhere = f"\nFrom other machines {_settings.public_url}/?token={_settings.token}"
    sys.stdout.write(
        f"Engine: {name}. {facts['reason']}\n"
        f"Open http://{host}:{_settings.port}/?token={_settings.token}{elsewhere}\n"
        "Ctrl-C stops the dashboard; what it launched goes on, and the next start finds it.\n"
    )
    sys.stdout.flush()


def worker_exit(server, worker):
    """Put the log on disk and let go; services keep running and the next start adopts them."""
    if hasattr(worker, "wsgi"):
        worker.wsgi.extensions["labdeck"].close()
