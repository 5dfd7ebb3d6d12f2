"""Reading the access log: bounded, and deaf to what is not ours."""

import asyncio
import json
import tracemalloc

import pytest

from services.balancer import access_log as room
from services.balancer.access_log import AccessLog
from services.balancer.endpoints import Endpoint, Names
from services.balancer.envoy import _each_line, whole_lines

FIELDS = {
    "type": "DownstreamEnd",
    "method": "POST",
    "path": "/_blazor/negotiate",
    "status": 200,
    "flags": "-",
    "ms": 1,
    "upstream": "127.0.0.1:1",
    "upgrade": None,
    "accept": None,
    "visitor": "visitor-1",
    "connection": None,
}


@pytest.fixture
def log():
    names = Names()
    names.learn([Endpoint("replica-1", "127.0.0.1", 1), Endpoint("replica-2", "::1", 2)])
    return AccessLog(names)


def read(log, capsys, **fields):
    """The lab lines that one line of the log becomes."""
    log.read(json.dumps(FIELDS | fields).encode())
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_oldest_connections_are_forgotten(log, capsys, monkeypatch):
    monkeypatch.setattr(room, "REMEMBERED", 3)
    for token in "abcd":
        read(log, capsys, connection=token)
    holders = [
        read(log, capsys, method="GET", path=f"/_blazor?id={token}", status=404, upstream="[::1]:2")[0][
            "data"
        ]
        for token in "abcd"
    ]
    assert [data["holder"] for data in holders] == [None, "replica-1", "replica-1", "replica-1"]
    assert {data["replica"] for data in holders} == {"replica-2"}


def test_a_connection_that_ended_where_it_was_opened_is_not_called_held(log, capsys):
    read(log, capsys, connection="abc")
    [line] = read(log, capsys, method="GET", path="/_blazor?id=abc", status=404)
    assert line["text"] == "404 for visitor-1: connection abc is unknown on replica-1; it has ended there."


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_goodbye_is_refused_only_where_the_connection_never_was(log, capsys, method):
    read(log, capsys, connection="abc")
    late = {"method": method, "path": "/_blazor?id=abc", "status": 404}
    assert read(log, capsys, **late) == []
    assert read(log, capsys, **late, upstream="[::1]:2")[0]["kind"] == "connection.refused"


@pytest.mark.parametrize("line", [
    b"", b"[]", b"{}", b"null", b"not json", b"\xff", b'{"type": 1}',
    json.dumps(FIELDS | {"path": "//["}).encode(), json.dumps(FIELDS | {"status": "x"}).encode(),
    json.dumps(FIELDS | {"path": 7}).encode(),
])  # fmt: skip
def test_a_line_that_is_not_ours_is_left_out(log, capsys, line):
    log.read(line)
    assert capsys.readouterr().out == ""


def test_a_replica_that_was_removed_is_still_known_by_name(log, capsys):
    log._names.learn([Endpoint("replica-9", "127.0.0.1", 9)])
    assert read(log, capsys, connection="abc")[0]["source"] == "replica-1"


def test_lines_are_cut_from_the_stream_and_one_too_long_is_left_out():
    async def read_all():
        stream = asyncio.StreamReader()
        stream.feed_data(b"one\ntw")
        stream.feed_data(b"o\n" + b"x" * 300_000 + b"\nthree\n" + b"y" * 101 + b"\nfour")
        stream.feed_eof()
        return [line async for line in whole_lines(stream, 100)]

    assert asyncio.run(read_all()) == [b"one", b"two", b"three", b"four"]


def test_a_listener_that_fails_does_not_stop_the_reading():
    heard = []

    def fail(line):
        heard.append(line)
        raise ValueError

    async def read_all():
        stream = asyncio.StreamReader()
        stream.feed_data(b"one\ntwo\n")
        stream.feed_eof()
        await _each_line(stream, fail)

    asyncio.run(read_all())
    assert heard == [b"one", b"two"]


def test_a_line_that_never_ends_is_not_kept():
    class Endless:
        chunks = 300

        async def read(self, size):
            self.chunks -= 1
            return b"x" * size if self.chunks > 0 else b""

    async def read_all():
        return [line async for line in whole_lines(Endless(), 100_000)]

    tracemalloc.start()
    assert asyncio.run(read_all()) == []
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
