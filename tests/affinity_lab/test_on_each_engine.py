"""Modes, traps, faults and failures by the contract alone, in one launched lab on each engine."""

import time
from collections import Counter
from datetime import datetime
from itertools import pairwise

import pytest
import requests
from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM
from tests.dashboard import TOKEN, Dashboard
from tests.visitors.test_client_of_2020 import ARGUMENTS, ARTICLE, Console
from tests.waiting import wait_for

pytestmark = pytest.mark.timeout(300)
STORM = 360
SECONDS = 60
PLAIN = {
    "count": 0,
    "transport": "WebSockets",
    "protocol": "json",
    "skip_negotiation": False,
    "reconnect": True,
    "reload_seconds": 3600,
    "cookies": True,
}


@pytest.fixture(
    scope="module",
    params=[pytest.param("docker", marks=pytest.mark.docker), pytest.param("local", marks=pytest.mark.local)],
)
def launched(request, tmp_path_factory):
    """One dashboard an engine, with three replicas and the crowd's process."""
    dashboard = Dashboard(request.param, tmp_path_factory.mktemp("each") / "state").start()
    dashboard.launch_lab()
    dashboard.done(dashboard.put("/visitors", PLAIN))
    yield Lab(dashboard)
    dashboard.stop()


@pytest.fixture
def lab(launched):
    """Three replicas that run, no affinity, nobody there."""
    launched.begin()
    return launched


class Lab:
    """The contract, in the words of these tests."""

    def __init__(self, dashboard):
        self.dashboard = dashboard
        self.engine = dashboard.engine
        self.mark = 0

    def begin(self):
        own = {"one_address": False} if self.engine == "local" else {}
        self.job("PUT", "/visitors", PLAIN | own)
        for replica in self.dashboard.get()["replicas"]:
            if replica["phase"] != "running" or replica["draining"]:
                again = "start" if replica["phase"] == "stopped" else "restart"
                self.job("POST", f"/replicas/{replica['name']}/{again}")
        if len(self.dashboard.get()["replicas"]) != 3:
            self.job("PUT", "/replicas", {"count": 3})
        self.affinity(mode="none", algorithm="round_robin")
        # a replica that a test before this one killed is left out until it passes a health check again
        self.wait(lambda: set(self.pages(6)) == {"replica-1", "replica-2", "replica-3"})
        self.mark = self.dashboard.get()["seq"]

    def job(self, method, path, body=None):
        self.dashboard.done(self.dashboard._call(method, path, json=body or {}))

    def affinity(self, **settings):
        return self.dashboard.put("/affinity", settings)["affinity"]

    def visit(self, count, **settings):
        self.mark = self.dashboard.get()["seq"]
        self.job("PUT", "/visitors", {"count": count, **settings})

    def pages(self, count):
        """Which replicas serve the page to a client that keeps no cookies, in this order."""
        url, mark = self.dashboard.get()["balancer"]["url"], self.dashboard.get()["seq"]
        for _ in range(count):
            assert requests.get(url, timeout=10).ok
        lines = self.wait(
            lambda: len(found := self.dashboard.events(mark, kind="page.served")) >= count and found
        )
        return [line["source"] for line in lines]

    def wait(self, condition):
        return wait_for(condition, SECONDS, told=self.dashboard.told)

    def told(self, kind, count=1, **data):
        """The first so many lines since the mark of that kind and data."""

        def found():
            lines = self.dashboard.events(self.mark, kind=kind)
            fitting = [line for line in lines if data.items() <= line["data"].items()]
            return fitting if len(fitting) >= count else None

        return self.wait(found)[:count]

    def never(self, kind):
        return not self.dashboard.events(self.mark, kind=kind)

    def people(self):
        """The crowd's; whoever fetches a page without a cookie is one of the lab's people too."""
        people = self.dashboard.get()["people"]
        return {name: person for name, person in people.items() if name.startswith("visitor-")}

    def homes(self):
        return {name: person["replica"] for name, person in self.people().items()}

    def memories(self):
        return Counter(person["memory"] for person in self.people().values())

    def connected(self, count):
        """Until so many are connected, each to the replica that remembers it."""

        def all_here():
            state = self.dashboard.get()
            people = state["people"].values()
            return state["visitors"]["connected"] == count == sum(p["status"] == "connected" for p in people)

        self.wait(all_here)

    def drop(self, **whose):
        self.mark = self.dashboard.get()["seq"]
        return self.dashboard.post("/connections/drop", whose)["dropped"]

    def back(self, count, **data):
        """Until so many visitors have told since the mark that they are connected."""
        lines = self.told("visitor.connected", count, **data)
        assert len({line["data"]["visitor"] for line in lines}) == count
        self.connected(self.dashboard.get()["visitors"]["count"])

    def replica(self, name):
        return next(each for each in self.dashboard.get()["replicas"] if each["name"] == name)

    def story(self, visitor):
        return self.dashboard.get(f"/visitors/{visitor}/story")


def test_round_robin_random_and_least_request_spread_as_they_say(lab):
    pages = lab.pages(30)
    assert sorted(Counter(pages).values()) == [10, 10, 10]
    assert all(now != then for then, now in pairwise(pages))
    lab.affinity(algorithm="random")
    pages = lab.pages(60)
    assert len(set(pages)) == 3 and any(now == then for then, now in pairwise(pages))
    lab.job("PUT", "/replicas", {"count": 1})
    lab.affinity(mode="cookie", algorithm="least_request")
    lab.visit(9)
    lab.connected(9)
    lab.job("PUT", "/replicas", {"count": 3})
    lab.affinity(mode="none")
    busy = Counter(lab.pages(150))["replica-1"]
    assert busy < 33, f"{busy} of 150 pages from the replica that has nine streams open"


def test_source_ip_keeps_everyone_by_the_address_that_they_have(lab):
    """In containers all have that of their container, and the API does not pretend otherwise."""
    lab.affinity(mode="source_ip")
    lab.visit(9, transport="auto")
    lab.connected(9)
    before = lab.homes()
    homes = len(set(before.values()))  # nine addresses, hashed: on one replica only once in 3⁸ times
    assert homes == 1 if lab.engine == "docker" else homes > 1
    assert lab.drop() == 9
    lab.back(9, memory="kept")
    assert lab.homes() == before and lab.never("connection.refused")
    if lab.engine == "docker":
        assert lab.dashboard.get()["visitors"]["own_addresses"] is False
        url = f"{lab.dashboard.url}/api/workspaces/demo/visitors"
        refused = lab.dashboard._session.put(url, json={"one_address": False}, timeout=10)
        assert refused.json()["error"]["kind"] == "not_on_this_engine"
        return
    lab.visit(9, one_address=True)
    lab.told("visitor.connected", 9)
    lab.connected(9)
    assert len(set(lab.homes().values())) == 1


def test_the_cookie_is_kept_as_asked_for(lab):
    cookie = lab.affinity(mode="cookie", cookie={"ttl_seconds": 77, "same_site": "Strict"})["cookie"]
    answer = requests.get(lab.dashboard.get()["balancer"]["url"], timeout=10)
    [sent] = [
        each for each in answer.raw.headers.getlist("Set-Cookie") if each.startswith(f"{cookie['name']}=")
    ]
    assert {"Max-Age=77", "Path=/", "SameSite=Strict"} <= {part.strip() for part in sent.split(";")}
    lab.affinity(cookie={"ttl_seconds": 3600, "same_site": "Lax"})


def test_an_expired_cookie_brings_its_visitors_to_any_replica_without_memory(lab):
    lab.affinity(mode="cookie", cookie={"ttl_seconds": 4})
    lab.visit(9)
    lab.connected(9)
    lines = lab.told("connection.routed", 9)
    last = max(datetime.fromisoformat(line["data"]["cookie"]["expires"]).timestamp() for line in lines)
    lab.wait(lambda: time.time() > last + 1)
    lab.drop()
    lab.back(9)
    assert lab.memories()["lost"] > 0 and lab.memories()["new"] == 0
    expired = lab.told("connection.negotiated")[0]["data"]["cookie"]
    assert expired is None or expired["expired"], "who has a jar does not even send it"
    lab.affinity(cookie={"ttl_seconds": 3600})


@pytest.mark.parametrize("trap", [{"path": "/_blazor/negotiate"}, {"cookies": False}], ids=["path", "no-jar"])
def test_a_cookie_that_does_not_come_back_is_no_affinity(lab, trap):
    lab.affinity(mode="cookie", cookie={"path": trap.get("path", "/")})
    lab.visit(1, cookies=trap.get("cookies", True))
    [line] = lab.told("connection.refused")
    assert line["data"]["cookie"] is None and line["data"]["holder"] != line["data"]["replica"]
    assert lab.story("visitor-1")["verdict"]["failure"] == "connection_unknown"
    lab.affinity(cookie={"path": "/"})
    lab.visit(1, cookies=True, anew=True)
    lab.connected(1)


def test_a_stale_cookie_after_scaling_in_leads_elsewhere_without_memory(lab):
    lab.affinity(mode="cookie")
    lab.visit(6)
    lab.connected(6)
    moved = {name for name, home in lab.homes().items() if home == "replica-3"}
    lab.mark = lab.dashboard.get()["seq"]
    lab.job("PUT", "/replicas", {"count": 2})
    lab.back(len(moved), memory="lost")
    assert moved and set(lab.homes().values()) == {"replica-1", "replica-2"}
    assert {name for name, person in lab.people().items() if person["memory"] == "lost"} == moved
    stale = lab.told("connection.negotiated")[0]["data"]
    assert stale["visitor"] in moved and stale["cookie"]["address"]


def test_switched_on_again_the_cookie_has_a_fresh_name_and_the_old_one_is_ignored(lab):
    first = lab.affinity(mode="cookie")["cookie"]["name"]
    lab.visit(3)
    lab.connected(3)
    lab.affinity(mode="none")
    assert lab.affinity(mode="cookie")["cookie"]["name"] != first
    lab.drop()
    sent = lab.told("connection.negotiated", 3)
    assert {(line["data"]["cookie"]["name"], line["data"]["cookie"]["ignored"]) for line in sent} == {
        (first, True)
    }


def test_a_strict_pin_to_a_dead_replica_is_503_and_one_that_is_not_moves(lab):
    lab.affinity(mode="cookie", cookie={"strict": True})
    lab.visit(6)
    lab.connected(6)
    pinned = {name for name, home in lab.homes().items() if home == "replica-2"}
    lab.mark = lab.dashboard.get()["seq"]
    lab.job("POST", "/replicas/replica-2/kill")
    refused = lab.told("request.failed")[0]["data"]
    assert refused["visitor"] in pinned and refused["status"] == 503
    lab.affinity(cookie={"strict": False})
    lab.back(len(pinned), memory="lost")
    assert "replica-2" not in lab.homes().values()
    assert lab.told("replica.killed")[0]["data"]["by"] == "api"
    assert {line["data"]["fate"] for line in lab.told("circuit.rejected", len(pinned))} == {"killed"}
    lab.job("POST", "/replicas/replica-2/start")
    assert lab.replica("replica-2")["phase"] == "running"


def test_one_connection_those_of_a_replica_or_all_are_cut_and_each_comes_back_to_its_memory(lab):
    lab.affinity(mode="cookie")
    lab.visit(6)
    lab.connected(6)
    one = next(iter(lab.homes()))
    assert lab.drop(visitor=one) == 1
    lab.back(1, memory="kept")
    connection = lab.told("visitor.connected")[0]["data"]["connection"]
    assert lab.drop(connection=connection) == 1
    lab.back(1, memory="kept", visitor=one)
    there = {name for name, home in lab.homes().items() if home == "replica-2"}
    assert lab.drop(replica="replica-2") == len(there)
    lab.back(len(there), memory="kept")
    assert {
        line["data"]["visitor"] for line in lab.dashboard.events(lab.mark, kind="visitor.reconnecting")
    } == there
    assert lab.drop() == 6
    lab.back(6, memory="kept")
    assert lab.told("fault.drop_asked")[0]["data"]["by"] == "api"


@pytest.mark.parametrize("fault", ["stop", "restart"])
def test_a_replica_that_is_stopped_or_restarted_takes_its_memory_with_it(lab, fault):
    lab.affinity(mode="cookie")
    lab.visit(6)
    lab.connected(6)
    homeless = {name for name, home in lab.homes().items() if home == "replica-1"}
    lab.mark = lab.dashboard.get()["seq"]
    lab.job("POST", f"/replicas/replica-1/{fault}")
    lab.back(len(homeless), memory="lost")
    assert {name for name, person in lab.people().items() if person["memory"] == "lost"} == homeless
    kind = {"stop": "replica.stopping", "restart": "replica.restarting"}[fault]
    assert lab.told(kind)[0]["data"]["by"] == "api"


def test_a_drain_moves_everybody_and_with_own_keys_says_whose_memory_was_lost(lab):
    lab.affinity(mode="cookie")
    lab.visit(6)
    lab.connected(6)
    before = lab.homes()
    moving = {name for name, home in before.items() if home == "replica-1"}
    lab.mark = lab.dashboard.get()["seq"]
    lab.job("POST", "/replicas/replica-1/drain")
    lab.connected(6)
    after = lab.homes()
    assert {name for name in before if before[name] != after[name]} == moving
    assert "replica-1" not in after.values() and lab.replica("replica-1")["phase"] == "stopped"
    drained = lab.told("replica.drained")[0]["data"]
    assert (drained["held"], drained["refused"], drained["moved"]) == (len(moving), len(moving), 0)
    assert {lab.told(kind)[0]["data"]["by"] for kind in ("replica.draining", "replica.drained")} == {"api"}


def test_a_frozen_replica_is_left_out_until_it_is_thawed_and_a_new_balancer_keeps_the_pins(lab):
    lab.affinity(mode="cookie")
    lab.visit(6)
    lab.connected(6)
    before = lab.homes()
    lab.mark = lab.dashboard.get()["seq"]
    lab.job("POST", "/replicas/replica-3/freeze")
    lab.told("endpoint.ejected", replica="replica-3")
    assert "replica-3" not in lab.pages(6)
    lab.job("POST", "/replicas/replica-3/thaw")
    lab.told("endpoint.readmitted", replica="replica-3")
    assert {lab.told(kind)[0]["data"]["by"] for kind in ("replica.frozen", "replica.thawed")} == {"api"}
    lab.connected(6)
    lab.mark = lab.dashboard.get()["seq"]
    lab.job("POST", "/balancer/restart")
    lab.back(6, memory="kept")
    assert lab.homes() == before
    assert lab.told("balancer.restarting")[0]["data"]["by"] == "api"


@pytest.mark.browser
def test_in_a_browser_the_client_of_2020_logs_the_articles_lines_and_each_choice_is_obeyed(lab):
    url = lab.dashboard.get()["balancer"]["url"]
    settled = "body[data-status=failed], body[data-status=connected]"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        page = browser.new_page()
        console = Console(page)
        for _ in range(10):
            console.lines.clear()
            page.goto(f"{url}/?client=3.1&protocol=blazorpack")
            page.wait_for_selector(settled)
            if page.get_attribute("body", "data-status") == "failed":
                break
        lab.wait(lambda: page.evaluate("true") and len(console.lines) >= len(ARTICLE))
        assert console.masked() == ARTICLE
        lab.affinity(mode="cookie")
        obeyed = {
            "client": ("10.0", lambda to: "client=" not in to),
            "transport": ("LongPolling", lambda to: "transport=LongPolling" in to),
            "protocol": ("json", lambda to: "protocol=json" in to),
        }
        for choice, (value, in_address) in obeyed.items():
            page.select_option(f"#{choice}-choice", value)
            page.wait_for_url(in_address)
            page.wait_for_selector("body[data-status=connected]")
        chosen = [page.inner_text(f"#{part}") for part in ("transport", "protocol")]
        assert (*chosen, page.evaluate("signalR.VERSION")) == ("LongPolling", "json", "10.0.11")
        page.uncheck("#reconnect")
        page.wait_for_url("**reconnect=0*")
        page.wait_for_selector("body[data-status=connected]")
        lab.drop()
        page.wait_for_selector("body[data-status=failed]")
        browser.close()
    assert lab.never("connection.negotiated")


CLICKS = [
    ("replica-2", "drop", "fault.drop_asked"),
    ("replica-2", "drain", "replica.draining"),
    ("replica-2", "start", "replica.starting"),
    ("replica-2", "restart", "replica.restarting"),
    ("replica-2", "stop", "replica.stopping"),
    ("replica-2", "start", "replica.starting"),
    ("replica-2", "kill", "replica.killed"),
    ("replica-2", "start", "replica.starting"),
    ("replica-2", "freeze", "replica.frozen"),
    ("replica-2", "thaw", "replica.thawed"),
    ("balancer", "restart", "balancer.restarting"),
]


@pytest.mark.browser
def test_each_fault_is_a_button_and_its_event_says_that_the_page_asked(lab):
    lab.affinity(mode="cookie")
    lab.visit(3)
    lab.connected(3)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        page = browser.new_page()
        page.goto(f"{lab.dashboard.url}/?token={TOKEN}")
        page.goto(f"{lab.dashboard.url}/affinity")
        for target, act, kind in CLICKS:
            lab.mark = lab.dashboard.get()["seq"]
            page.select_option("#fault-target", target)
            page.click(f"#faults [data-act={act}]:enabled", timeout=SECONDS * 1000)
            assert lab.told(kind)[0]["data"]["by"] == "page"
            lab.wait(lambda: not lab.dashboard.get()["jobs"])
        lab.mark = lab.dashboard.get()["seq"]
        page.click("#replicas-more")
        assert lab.told("replica.starting")[0]["data"]["by"] == "page"
        page.click("#replicas-less", timeout=SECONDS * 1000)
        assert lab.told("replica.stopping")[0]["data"]["by"] == "page"
        browser.close()


def test_a_storm_of_hundreds_recovers_with_every_memory_and_loses_no_line(lab):
    """More than the hundred circuits a replica that Blazor would keep; and when a replica is killed, more
    visitors at once look for another one than Envoy would serve if it were not told to."""
    lab.affinity(mode="cookie")
    lab.visit(STORM)
    lab.connected(STORM)
    homes = lab.homes()
    assert lab.drop() == STORM
    lab.back(STORM, memory="kept")
    assert lab.homes() == homes and lab.memories() == {"kept": STORM}
    for kind in ("connection.closed", "visitor.reconnecting", "circuit.resumed", "visitor.connected"):
        lines = lab.dashboard.events(lab.mark, kind=kind)
        assert len(lines) == STORM == len({line["data"]["visitor"] for line in lines}), kind
    assert lab.never("visitor.failed") and lab.never("circuit.rejected") and lab.never("connection.refused")
    assert sum(replica["connections"] for replica in lab.dashboard.get()["replicas"]) == STORM
    orphans = Counter(homes.values())["replica-2"]
    lab.mark = lab.dashboard.get()["seq"]
    lab.job("POST", "/replicas/replica-2/kill")
    lab.back(orphans, memory="lost")
    assert {line["data"]["fate"] for line in lab.told("circuit.rejected", orphans)} == {"killed"}
    assert lab.never("request.failed") and lab.never("visitor.failed")


def test_the_three_failures_are_told_apart_and_shared_keys_cure_one_of_them(lab):
    """The last of this file: it leaves the replicas with shared keys."""

    def helped(visitor):
        verdict = lab.story(visitor)["verdict"]
        return verdict["failure"], {each["what"]: each["outcome"] for each in verdict["helped"]}

    lab.visit(1)
    lab.told("connection.refused")
    failure, cures = helped("visitor-1")
    assert (failure, cures["Cookie affinity"], cures["Shared keys"]) == ("connection_unknown", "cures", "no")

    lab.visit(4, skip_negotiation=True)
    elsewhere = lab.told("page.rejected")[0]["data"]
    assert elsewhere["page"] != elsewhere["replica"]
    failure, cures = helped(elsewhere["visitor"])
    assert (failure, cures["Shared keys"]) == ("page_from_elsewhere", "cures")

    lab.job("PUT", "/page-keys", {"shared": True})
    lab.visit(4, anew=True)
    lab.connected(4)
    assert lab.never("page.rejected")
    lab.drop()
    unknown = lab.told("circuit.rejected")[0]["data"]
    lab.told("visitor.connected", memory="lost")
    assert unknown["holder"] != unknown["replica"] and unknown["fate"] == "held"
    lab.visit(1, skip_negotiation=False)
    lab.told("connection.refused")
    failure, cures = helped("visitor-1")
    assert (failure, cures["Shared keys"]) == ("connection_unknown", "no")
