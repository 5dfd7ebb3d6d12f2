"""The hub protocols, both ways, however the bytes are cut."""

import json
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.wire import messages as m
from services.wire.signalr import (
    PROTOCOLS,
    FrameReader,
    HandshakeRequest,
    HandshakeResponse,
    read_handshake_request,
    read_handshake_response,
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | text
values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
arguments = st.lists(values, max_size=4).map(tuple)
ids = st.lists(text, max_size=2).map(tuple)
whole = st.integers(0, 2**63 - 1)
any_message = st.one_of(
    st.builds(m.Invocation, text, arguments, st.none() | text, ids),
    st.builds(m.StreamItem, text, values),
    st.builds(m.Completion, text),
    st.builds(m.Completion.of, text, values),
    st.builds(m.Completion, text, error=text),
    st.builds(m.StreamInvocation, text, arguments, text, ids),
    st.builds(m.CancelInvocation, text),
    st.just(m.Ping()),
    st.builds(m.Close, st.none() | text, st.booleans()),
    st.builds(m.Ack, whole),
    st.builds(m.Sequence, whole),
)
each_protocol = pytest.mark.parametrize("name", sorted(PROTOCOLS))


@each_protocol
@given(sent=st.lists(any_message, max_size=4))
def test_messages_survive_the_wire_cut_at_every_byte(name, sent):
    protocol = PROTOCOLS[name]
    frames = b"".join(protocol.encode(message) for message in sent)
    assert FrameReader(protocol).feed(frames) == sent
    reader = FrameReader(protocol)
    assert [message for byte in frames for message in reader.feed(bytes([byte]))] == sent


@each_protocol
@given(sent=st.lists(any_message, min_size=1, max_size=3), data=st.data())
def test_messages_survive_any_single_cut(name, sent, data):
    protocol, reader = PROTOCOLS[name], FrameReader(PROTOCOLS[name])
    frames = b"".join(protocol.encode(message) for message in sent)
    cut = data.draw(st.integers(0, len(frames)))
    assert reader.feed(frames[:cut]) + reader.feed(frames[cut:]) == sent


@each_protocol
@given(garbage=st.binary(max_size=200))
@example(garbage=b"[" * 5000 + b"\x1e")
@example(garbage=b"\xfa\x01" + b"\x91" * 250)
@example(garbage=b'{"type":1,"target":"\\ud800","arguments":[]}\x1e')
@example(garbage=b'{"type":1,"target":"x","arguments":[NaN]}\x1e')
@example(garbage=b'{"type":true}\x1e')
@example(garbage=b'{"type":1e999}\x1e')
@example(garbage=b"\x04\x81\x90\x01\x01")
@example(garbage=b"\x00")
def test_garbage_is_read_or_refused_with_one_exception(name, garbage):
    try:
        FrameReader(PROTOCOLS[name]).feed(garbage)
    except m.BadFrame as error:
        assert str(error)


@pytest.mark.parametrize("fields", [
    {"type": 1, "target": "SetNote"},
    {"type": 1, "target": "SetNote", "arguments": "x"},
    {"type": 1, "target": 7, "arguments": []},
    {"type": 1, "target": "SetNote", "arguments": [], "invocationId": 4},
    {"type": 1, "target": "SetNote", "arguments": [], "streamIds": [1]},
    {"type": 2, "invocationId": "1"},
    {"type": 3, "invocationId": "1", "error": "no", "result": 1},
    {"type": 4, "target": "SetNote", "arguments": []},
    {"type": 5},
    {"type": 7, "error": 5},
    {"type": 8, "sequenceId": "1"},
    {"type": "1"},
    {"target": "SetNote"},
    [1, 2],
    "text",
])  # fmt: skip
def test_a_json_message_of_a_wrong_shape_is_refused(fields):
    with pytest.raises(m.BadFrame):
        FrameReader(PROTOCOLS["json"]).feed(json.dumps(fields).encode() + b"\x1e")


@pytest.mark.parametrize("payload", [
    b"\x90",
    b"\x80",
    b"\x91\xa11",
    b"\x92\x01\x80",
    b"\x95\x01\x80\xc0\xa1x\xa1y",
    b"\x95\x01\x80\x05\xa1x\x90",
    b"\x94\x03\x80\xa11\x09",
    b"\x94\x03\x80\xa11\x03",
    b"\x92\x07\x05",
    b"\x91\x06\x06",
    b"\x91\xc1",
])  # fmt: skip
def test_a_messagepack_message_of_a_wrong_shape_is_refused(payload):
    with pytest.raises(m.BadFrame):
        FrameReader(PROTOCOLS["messagepack"]).feed(bytes([len(payload)]) + payload)


@each_protocol
def test_a_message_over_the_limit_is_refused_before_it_is_whole(name):
    protocol = PROTOCOLS[name]
    frame = protocol.encode(m.Invocation("SetNote", ("x" * 1000,)))
    assert FrameReader(protocol, limit=2000).feed(frame)
    reader = FrameReader(protocol, limit=500)
    with pytest.raises(m.BadFrame, match="maximum message size of 500 bytes"):
        for at in range(0, len(frame) - 400, 100):
            reader.feed(frame[at : at + 100])


@pytest.mark.parametrize("half", [b"\\ud800", b"\\uDFFF", b"\xed\xa0\x80"])
def test_half_a_surrogate_pair_is_refused_because_it_can_never_be_sent_on(half):
    frame = b'{"type":1,"target":"SetNote","arguments":["' + half + b'"]}\x1e'
    with pytest.raises(m.BadFrame):
        FrameReader(PROTOCOLS["json"]).feed(frame)
    whole = frame.replace(half, b"\\ud83d\\udd11")
    assert FrameReader(PROTOCOLS["json"]).feed(whole) == [m.Invocation("SetNote", ("🔑",))]


def test_a_length_of_six_bytes_is_refused():
    with pytest.raises(m.BadFrame, match="five bytes"):
        FrameReader(PROTOCOLS["messagepack"]).feed(b"\x80" * 6)


@each_protocol
def test_a_message_of_an_unknown_type_is_passed_over(name):
    known = PROTOCOLS[name].encode(m.Ping())
    unknown = b'{"type":42}\x1e' if name == "json" else b"\x02\x91\x2a"
    assert FrameReader(PROTOCOLS[name]).feed(unknown + known) == [m.Ping()]


def test_a_ping_has_the_bytes_that_the_specification_shows():
    assert PROTOCOLS["blazorpack"].encode(m.Ping()) == b"\x02\x91\x06"
    assert PROTOCOLS["json"].encode(m.Ping()) == b'{"type":6}\x1e'


@given(name=st.text(string.ascii_letters, max_size=20), version=st.integers(0, 9), rest=st.binary(max_size=9))
def test_a_handshake_leaves_what_comes_behind_it(name, version, rest):
    frame = HandshakeRequest(name, version).encode()
    assert read_handshake_request(frame + rest) == (HandshakeRequest(name, version), rest)
    assert all(read_handshake_request(frame[:cut]) is None for cut in range(len(frame)))


@given(error=st.none() | text, rest=st.binary(max_size=9))
def test_a_handshake_response_survives_the_wire(error, rest):
    frame = HandshakeResponse(error).encode()
    assert read_handshake_response(frame + rest) == (HandshakeResponse(error), rest)


@given(garbage=st.binary(max_size=60))
@example(garbage=b'{"protocol":"json"}')
@example(garbage=b'{"protocol":1,"version":1}')
@example(garbage=b'{"protocol":"json","version":true}')
def test_a_garbled_handshake_is_refused(garbage):
    with pytest.raises(m.BadFrame):
        read_handshake_request(b"!" + garbage + b"\x1e")
    for read in (read_handshake_request, read_handshake_response):
        try:
            read(garbage + b"\x1e")
        except m.BadFrame as error:
            assert str(error)


def test_an_endless_handshake_is_refused():
    with pytest.raises(m.BadFrame):
        read_handshake_request(b" " * 40_000)
