"""The affinity cookie decoded: Envoy's two forms, its end, and whatever else a client may send."""

import base64
import random
import re

import pytest

from services.balancer.endpoints import Endpoint, Names
from services.balancer.pin import cookie_rules, decode, pin_pattern, read_pin

SEEN = "Cg8xMjcuMC4wLjE6NTkxNDEQx/KQ2AY="
"""As Envoy 1.40 set it for 127.0.0.1:59141, to end at 2026-11-23T13:01:59Z."""
WITHOUT_END = "Cg8xMjcuMC4wLjE6NTIyMzc="


def sent(value, at=0.0, **fields):
    names = Names()
    names.learn([Endpoint("replica-2", "127.0.0.1", 59141)])
    return read_pin({"pin": value, "pin_name": "sticky"} | fields, names, at)


def test_envoys_cookie_is_the_replicas_address_and_its_end():
    assert decode(SEEN) == ("127.0.0.1:59141", 1795438919)
    assert decode(WITHOUT_END) == ("127.0.0.1:52237", 0)
    assert decode(SEEN.rstrip("=")) == decode(SEEN)


def test_the_bare_address_of_older_envoys_is_read_too():
    assert decode(base64.b64encode(b"[::1]:8000").decode()) == ("[::1]:8000", 0)


def test_the_address_becomes_the_replicas_name():
    assert sent(SEEN) == {
        "name": "sticky",
        "address": "127.0.0.1:59141",
        "replica": "replica-2",
        "expires": "2026-11-23T13:01:59Z",
        "expired": False,
        "ignored": False,
    }


def test_a_cookie_is_expired_after_its_end_and_never_without_one():
    assert sent(SEEN, at=1795438920)["expired"] is True
    assert sent(WITHOUT_END, at=9e9)["expired"] is False


def test_an_address_that_nobody_has_is_shown_without_a_replica():
    assert (sent(WITHOUT_END)["address"], sent(WITHOUT_END)["replica"]) == ("127.0.0.1:52237", None)


def test_no_cookie_is_none_and_a_former_one_is_ignored():
    assert read_pin({"pin": None, "pin_name": None}, Names()) is None
    assert read_pin({}, Names()) is None
    assert sent(None, former=SEEN, former_name="old")["ignored"] is True
    assert sent(WITHOUT_END, former=SEEN, former_name="old")["name"] == "sticky"


@pytest.mark.parametrize("value", [
    "", "-", "x", "<b>", "é", "Cg==", "Cg8=", "////////", SEEN + "AAAA", "Cg8xMjcuMC4wLjE6NTkxNDEY",
    base64.b64encode(b"\n\x06secret").decode(), base64.b64encode(b"private text").decode(), "A" * 256,
])  # fmt: skip
def test_a_value_that_is_not_envoys_is_never_shown(value):
    assert decode(value) == (None, 0)
    assert value not in {str(each) for each in sent(value).values()} - {"", "x"}


def test_an_end_beyond_all_calendars_is_no_end():
    endless = base64.b64encode(b"\n\x091.2.3.4:5\x10" + b"\xff" * 9 + b"\x01").decode()
    assert sent(endless)["expires"] is None


def test_only_the_cookies_that_are_named_leave_envoy():
    def taken(*names):
        return {rule["cookie"] for rule in cookie_rules(*names)["request_rules"]}

    assert taken() == {"labdeck_visitor"}
    assert taken("now", "before") == {"labdeck_visitor", "now", "before"}


def test_a_pin_is_found_among_the_cookies_by_its_address_alone():
    """As Envoy writes it: a message of the address and, unless the cookie ends with the browser, its end."""
    dice = random.Random(5)
    hosts = ["127.0.0.1", "10.0.0.7", "172.18.0.12", "192.168.100.200", "[::1]", "[fd00::a:1]"]
    addresses = sorted(
        {f"{dice.choice(hosts)}:{dice.choice((80, 8000, 8001, 39391, 39392))}" for _ in range(99)}
    )

    def pin(address, expires):
        raw = bytes([0x0A, len(address)]) + address.encode()
        while expires:
            raw += (b"\x10" if len(raw) == 2 + len(address) else b"") + bytes([expires & 0x7F | 0x80])
            expires >>= 7
        return base64.b64encode(raw).decode()

    assert pin("127.0.0.1:52237", 0) == WITHOUT_END
    for address in addresses:
        mine = re.compile(pin_pattern("sticky", [address]))
        for other in addresses:
            for expires in (0, 1795438919, dice.randrange(2**31)):
                for header in ("sticky={}", 'a=b; sticky="{}"; c=d', "labdeck_visitor=visitor-1;sticky={}"):
                    found = mine.fullmatch(header.format(pin(other, expires)))
                    assert bool(found) == (other == address), (address, other, expires)
        assert not mine.fullmatch(f"unsticky={pin(address, 0)}")
    both = re.compile(pin_pattern("a.b", addresses[:2]))
    assert both.fullmatch(f"a.b={pin(addresses[1], 9)}") and not both.fullmatch(f"a.b={pin(addresses[2], 9)}")
    assert not both.fullmatch(f"aXb={pin(addresses[1], 9)}")
