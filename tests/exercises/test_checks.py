"""Each check fails when the thing was not done, and passes when it was."""

import pytest

from services.exercises.checks import CHECKS, Evidence
from services.exercises.checks.registry import Page

URL = "http://127.0.0.1:8080"


def state(**changes):
    """A healthy workspace, as the API answers it."""
    whole = {
        "engine": {"name": "docker"},
        "hello_go": {
            "phase": "running",
            "url": URL,
            "image": {"size": 7_800_000},
            "commands": {"call": f"curl -i {URL}"},
        },
        "agent_script": {
            "phase": "stopped",
            "rid": "linux-arm",
            "machine": {"uname": "x86_64", "rid": "linux-x64"},
            "result": {"outcome": "exec_format", "exit_code": 126},
            "binary": {"machine": "arm"},
        },
        "affinity_lab": {"phase": "running"},
        "balancer": {"phase": "running", "affinity": {"mode": "cookie", "cookie": {"ttl_seconds": 10}}},
        "replicas": [
            {"name": f"replica-{n}", "phase": "running", "connections": 4, "draining": n == 3}
            for n in (1, 2, 3)
        ],
        "visitors": {"count": 12, "connected": 12, "transport": "WebSockets", "skip_negotiation": True},
        "page_keys": {"shared": True},
        "people": {f"visitor-{n}": {"status": "connected", "replica": "replica-1"} for n in range(1, 13)},
    }
    return whole | {
        name: whole[name] | change if isinstance(change, dict) else change for name, change in changes.items()
    }


def events(*told):
    """`(kind, source, data)` as events, numbered."""
    return [
        {"seq": seq, "kind": kind, "source": source, "text": f"{kind} {data}.", "data": data}
        for seq, (kind, source, data) in enumerate(told, 1)
    ]


def came_back(memory, *numbers, replica="replica-1"):
    return [
        ("visitor.connected", "visitors", {"visitor": f"visitor-{n}", "memory": memory, "replica": replica})
        for n in numbers
    ]


def refused(visitor, asked, holder):
    return ("connection.refused", asked, {"visitor": visitor, "replica": asked, "holder": holder})


def answers(body):
    return lambda url: Page(200, body) if url == URL else None


def reached(*replicas):
    return [("circuit.started", name, {"visitor": "browser-x"}) for name in replicas]


def none(mode="none"):
    return {"phase": "running", "affinity": {"mode": mode, "cookie": None}}


SPREAD = {f"visitor-{n}": {"status": "connected", "replica": f"replica-{n % 3 + 1}"} for n in range(12)}
WORK = ("job.started", "dashboard", {"name": "affinity_lab.kill"})
DROP, KILL = ("fault.drop_asked", "dashboard", {}), ("replica.killed", "replica-2", {})

# name, arguments, what has not passed (state, events, answer, fetch), what has
ROWS = [
    (
        "hello_built",
        {},
        {"told": [("hello_go.build_started", "hello-go", {})]},
        {"told": [("hello_go.built", "hello-go", {})]},
    ),
    (
        "hello_rebuilt",
        {},
        {"told": [("hello_go.built", "hello-go", {})]},
        {
            "told": [
                ("hello_go.build_step", "hello-go", {"state": "cached"}),
                ("hello_go.built", "hello-go", {}),
            ]
        },
    ),
    ("hello_answers", {}, {"fetch": answers("Something else")}, {"fetch": answers("Hello-Go")}),
    (
        "hello_called",
        {"times": 2},
        {"told": [("hello_go.called", "hello-go", {"status": 200})]},
        {"told": [("hello_go.called", "hello-go", {"status": 200})] * 2},
    ),
    (
        "hello_gone",
        {},
        {
            "told": [("hello_go.stopped", "hello-go", {})],
            "now": {"hello_go": {"phase": "stopped"}},
            "fetch": answers("Hello-Go"),
        },
        {"told": [("hello_go.stopped", "hello-go", {})], "now": {"hello_go": {"phase": "stopped"}}},
    ),
    ("hello_size", {}, {"answer": "300 MB"}, {"answer": "7,8 MB"}),
    ("hello_stage", {"answer": "build"}, {"answer": "final"}, {"answer": "Build"}),
    ("machine_named", {}, {"answer": "armv7l"}, {"answer": "x86_64"}),
    ("exit_code_named", {}, {"answer": "127"}, {"answer": "exit 126"}),
    ("header_named", {}, {"answer": "x64"}, {"answer": "linux-arm"}),
    (
        "rehearsed",
        {"outcome": "running"},
        {"told": [("agent_script.rehearsed", "agent-script", {"outcome": "exec_format"})]},
        {"told": [("agent_script.rehearsed", "agent-script", {"outcome": "running"})]},
    ),
    (
        "rehearsed_for_here",
        {"here": False},
        {
            "told": [("agent_script.build_started", "agent-script", {})],
            "now": {"agent_script": {"rid": "linux-x64"}},
        },
        {"told": [("agent_script.build_started", "agent-script", {})]},
    ),
    ("lab_runs", {"replicas": 3}, {"now": {"affinity_lab": {"phase": "starting"}}}, {}),
    ("affinity_is", {"mode": "cookie"}, {"now": {"balancer": none()}}, {}),
    (
        "cookie_lives",
        {"at_most": 10},
        {"now": {"balancer": {"affinity": {"mode": "cookie", "cookie": {"ttl_seconds": 3600}}}}},
        {},
    ),
    ("visitors", {"connected": 12}, {"now": {"visitors": {"connected": 11}}}, {}),
    (
        "crowd",
        {"transport": "WebSockets", "skip_negotiation": True},
        {"now": {"visitors": {"skip_negotiation": False}}},
        {},
    ),
    (
        "refused",
        {"at_least": 1},
        {"told": [refused("visitor-1", "replica-1", "replica-1")]},
        {"told": [refused("visitor-1", "replica-2", "replica-1")]},
    ),
    (
        "holder_named",
        {},
        {"told": [refused("visitor-1", "replica-2", "replica-1")], "answer": "visitor-1 replica-2"},
        {"told": [refused("visitor-1", "replica-2", "replica-1")], "answer": "visitor-1, replica-1"},
    ),
    (
        "pages_rejected",
        {"at_least": 2},
        {"told": [("page.rejected", "replica-1", {})]},
        {"told": [("page.rejected", "replica-1", {})] * 2},
    ),
    ("page_keys", {"shared": True}, {"now": {"page_keys": {"shared": False}}}, {}),
    ("dropped", {}, {}, {"told": [DROP]}),
    (
        "circuits_rejected",
        {"at_least": 1, "fate": "held"},
        {"told": [("circuit.rejected", "replica-1", {"fate": "killed"})]},
        {"told": [("circuit.rejected", "replica-1", {"fate": "held"})]},
    ),
    (
        "kept_after_drop",
        {"at_least": 2},
        {"told": [*came_back("kept", 1, 2), DROP, *came_back("kept", 1)]},
        {"told": [refused("visitor-1", "replica-2", "replica-1"), DROP, *came_back("kept", 1, 2)]},
    ),
    (
        "memory_lost",
        {"after": "replica.killed"},
        {"told": [*came_back("lost", 1), KILL, *came_back("kept", 2)]},
        {"told": [KILL, *came_back("lost", 1)]},
    ),
    (  # Docker was slow to kill: its visitors are elsewhere before it is said
        "memory_lost",
        {"after": "replica.killed"},
        {"told": [*came_back("lost", 1), WORK, *came_back("kept", 1, 2), KILL]},
        {"told": [WORK, *came_back("lost", 1), KILL]},
    ),
    ("killed", {"replica": "replica-2"}, {"told": [("replica.killed", "replica-1", {})]}, {"told": [KILL]}),
    (
        "drained",
        {"replica": "replica-3"},
        {"told": [("replica.drained", "replica-3", {"moved": 0})]},
        {"told": [("replica.drained", "replica-3", {"moved": 4})]},
    ),
    ("all_on_one", {"visitors": 10}, {"now": {"people": SPREAD}}, {}),
    (
        "connected_without_affinity",
        {"visitors": 10},
        {"now": {"people": SPREAD}},
        {"now": {"people": SPREAD, "balancer": none()}},
    ),
    (
        "browser_stays",
        {"loads": 2},
        {"told": reached("replica-1", "replica-2")},
        {"told": reached("replica-1", "replica-2", "replica-2")},
    ),
]


def asked(name, arguments, told=(), now=None, answer="", fetch=lambda url: None):
    evidence = Evidence(state(**(now or {})), events(*told), fetch=fetch, answer=answer)
    return CHECKS[name].judge(evidence, **arguments)


@pytest.mark.parametrize(("name", "arguments", "undone", "done"), ROWS, ids=[row[0] for row in ROWS])
def test_a_check_passes_only_when_the_thing_was_done(name, arguments, undone, done):
    assert CHECKS[name].problem(arguments) is None
    nothing = asked(name, arguments, **undone)
    assert not nothing.passed and nothing.expected and nothing.seen
    something = asked(name, arguments, **done)
    assert something.passed, something
    assert something.expected == nothing.expected and something.seen != nothing.seen


@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if check.asks])
def test_the_right_answer_that_a_check_knows_passes_it(name):
    arguments, done = next((row[1], row[3]) for row in ROWS if row[0] == name)
    known = asked(name, arguments, **done | {"answer": ""})
    assert not known.passed and known.answer
    assert asked(name, arguments, **done | {"answer": known.answer}).passed


def test_every_check_has_a_row_and_reads_events_that_exist():
    from services.events.kinds import KINDS

    assert {row[0] for row in ROWS} == set(CHECKS)
    for check in CHECKS.values():
        for kind in check.kinds + check.wakes:
            assert kind in KINDS or (kind.endswith(".") and any(one.startswith(kind) for one in KINDS)), kind


def test_an_empty_lab_is_no_error_for_any_check():
    """What a fresh workspace says, as the labs themselves have it."""
    from services.affinity_lab.balancer import FIRST_AFFINITY
    from services.affinity_lab.crowd import BEHAVIOUR, NOBODY

    fresh = {
        "engine": {"name": "local"},
        "hello_go": {"phase": "stopped", "url": None, "image": None, "commands": {}},
        "agent_script": {
            "phase": "stopped",
            "rid": None,
            "machine": {"uname": "x86_64", "rid": "linux-x64"},
            "result": None,
            "binary": None,
        },
        "affinity_lab": {"phase": "stopped"},
        "balancer": {"phase": "stopped", "affinity": FIRST_AFFINITY},
        "replicas": [],
        "visitors": NOBODY | BEHAVIOUR,
        "page_keys": {"shared": True},
        "people": {},
    }
    ready = {"affinity_is": {"mode": "source_ip"}, "page_keys": {"shared": False}}
    for name, arguments, _, _ in ROWS:
        result = CHECKS[name].judge(Evidence(fresh), **ready.get(name, arguments))
        assert not result.passed and result.seen, name
