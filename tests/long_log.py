"""A long past, recorded as the dashboard records it, for who scrolls in it: a storm told again and again."""

from pathlib import Path

from services.events.log import EventLog
from services.events.store import Store

VISITORS = 200
REPLICAS = 10


def record_past(state_dir, count):
    """Write `count` events into the database of a dashboard that does not run; returns the last seq."""
    store = Store(f"sqlite:///{Path(state_dir) / 'labdeck.db'}")
    log = EventLog("demo", store, {})
    for n in range(count):
        source, kind, level, text, data = _line(n)
        log.record(source, kind, text, level=level, data=data)
    last = log.look()[0]
    log.close()
    store.close()
    return last


def _line(n):
    """Lines of four lengths, so that no two rows beside each other are as tall."""
    visitor, replica = f"visitor-{n // 4 % VISITORS + 1}", f"replica-{n % REPLICAS + 1}"
    connection = f"W{n // 4:06x}x"
    data = {"visitor": visitor, "replica": replica, "connection": connection}
    if n % 4 == 0:
        text = f"{visitor} is cut off; attempt 1 to reconnect starts at once."
        return "visitors", "visitor.reconnecting", "warning", text, data
    if n % 4 == 1:
        text = f"{replica} opened connection {connection} for {visitor}."
        return replica, "connection.negotiated", "info", text, data
    if n % 4 == 2:
        text = (
            f"404 for {visitor}: connection {connection} is unknown on {replica}; another replica holds it. "
            "The page is not missing: the memory is elsewhere."
        )
        return replica, "connection.refused", "warning", text, data
    return replica, "circuit.resumed", "info", f"{visitor} is back.", data
