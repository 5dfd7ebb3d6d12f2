"""The control port: who may call, and what wrong calls are told."""

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web

from services.wire import control
from services.wire.environment import Listen

KEY = "the-key-of-this-workspace"


async def _give_back(request):
    fields = await control.read_fields(request, {"mode", "count", "on", "name"})
    return web.json_response({
        "mode": control.choice_field(fields, "mode", ("none", "cookie"), "none"),
        "count": control.number_field(fields, "count", 1, 10, 3),
        "on": control.flag_field(fields, "on", True),
        "name": control.text_field(fields, "name", None, limit=5),
    })  # fmt: skip


async def _fail(request):
    raise RuntimeError("a secret of the program")


def call(method="POST", path="/give-back", *, key=KEY, **options):
    """Status and JSON of one call to a control port of its own."""

    async def talk():
        app = control.control_app(KEY)
        app.add_routes([web.post("/give-back", _give_back), web.get("/fail", _fail)])
        runner, port = await control.serve(app, Listen("127.0.0.1", 0))
        headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"http://127.0.0.1:{port}{path}", **options) as response,
        ):
            answer = response.status, await response.json()
        await runner.cleanup()
        return answer

    return asyncio.run(talk())


@pytest.mark.parametrize("key", [None, "", "wrong", KEY + "x", "ключ"])
def test_a_call_without_the_key_learns_nothing(key):
    for path in ("/give-back", "/fail", "/nowhere"):
        status, body = call("GET", path, key=key)
        assert (status, body["error"]["kind"]) == (401, "not_signed_in")


def test_an_empty_body_means_the_defaults():
    assert call() == (200, {"mode": "none", "count": 3, "on": True, "name": None})


def test_fields_are_taken_as_they_are_given():
    fields = {"mode": "cookie", "count": 10, "on": False, "name": "abcde"}
    assert call(json=fields) == (200, fields)


@pytest.mark.parametrize("body", [
    b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 60_000,
    b'{"unknown": 1}', b'{"mode": "magic"}', b'{"mode": []}', b'{"mode": null}',
    b'{"count": 0}', b'{"count": 11}', b'{"count": "3"}', b'{"count": 3.0}', b'{"count": true}',
    b'{"on": 1}', b'{"on": null}', b'{"name": "abcdef"}', b'{"name": 5}',
])  # fmt: skip
def test_a_wrong_body_is_400_with_kind_message_and_hint(body):
    status, answer = call(data=body)
    assert status == 400
    assert answer["error"].keys() == {"kind", "message", "hint"}
    assert all(answer["error"].values())


def test_a_body_over_64_kib_is_413():
    status, answer = call(data=b" " * (64 * 1024 + 1))
    assert (status, set(answer)) == (413, {"error"})
    assert call(data=b" " * 60_000 + b"{}")[0] == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/give-back", 405)])
def test_an_unknown_call_is_worded_too(method, path, status):
    answer = call(method, path)
    assert (answer[0], answer[1].keys()) == (status, {"error"})


def test_an_error_of_the_program_keeps_its_secrets():
    status, answer = call("GET", "/fail")
    assert (status, answer["error"]["kind"]) == (500, "internal")
    assert "secret" not in str(answer)


def test_a_taken_port_is_an_oserror():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        asyncio.run(control.serve(control.control_app(KEY), Listen("127.0.0.1", taken.getsockname()[1])))
