"""Runs one of the lab's programs, which then says of every request and every call what the lab leaves out.

`python telling.py services.circuit`: the program itself is the real one; only its log has more lines.
"""

import json
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from services.balancer import access_log, bootstrap
from services.circuit import connections
from services.visitors import visitor
from services.wire.lines import emit


def tell_of_requests():
    """Each line of Envoy's access log as it is, with the microsecond at which the request began."""
    bootstrap.ACCESS_FIELDS["began"] = "%START_TIME(%s.%6f)%"
    read = access_log.AccessLog.read

    def read_and_tell(self, line):
        emit("access.line", "", access=json.loads(line))
        read(self, line)

    access_log.AccessLog.read = read_and_tell


def tell_of_calls():
    """Each message that a client sent, and each drop, so that a drop of nobody marks a moment."""
    obey, drop = connections.Connections._obey, connections.Connections.drop

    def obey_and_tell(self, connection, message):
        arguments = [_masked(each, connection) for each in getattr(message, "arguments", ())]
        said = [type(message).__name__, getattr(message, "target", None), arguments]
        emit("message.obeyed", "", connection=connection.token, message=said)
        obey(self, connection, message)

    def drop_and_tell(self, visitor, connection=None):
        emit("drop.obeyed", "", visitor=visitor)
        return drop(self, visitor, connection)

    connections.Connections._obey = obey_and_tell
    connections.Connections.drop = drop_and_tell


def _masked(argument, connection):
    """Ids and signatures differ from visit to visit; what kind of thing they are does not."""
    return f"text of {len(argument)}" if isinstance(argument, str) else argument


def let_nobody_click():
    """The browser's visitor clicks only when a test does."""
    visitor.CLICK_SECONDS = (3600, 3600)


if __name__ == "__main__":
    tell_of_requests()
    tell_of_calls()
    let_nobody_click()
    runpy.run_module(sys.argv[1], run_name="__main__")
