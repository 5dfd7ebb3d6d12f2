import assert from "node:assert/strict";
import { test } from "node:test";
import { createChoices, createFilter, countIn, inOrder, passes, wordsOf } from "../../static/js/log_filter.js";
import { appToLaunch, note } from "../../static/js/apps.js";
import { possible } from "../../static/js/faults.js";
import { shapeOf } from "../../static/js/kinds.js";
import { createTally, count } from "../../static/js/tally.js";
import { TRAPS } from "../../static/js/traps.js";
import { affinityVerdict, census, helloVerdict } from "../../static/js/verdict.js";

const person = (status, memory = null, replica = "replica-1") => ({ kind: "virtual", status, memory, replica });
const lab = (people, { mode = "none", count } = {}) => ({
  affinity_lab: { phase: "running" },
  balancer: { phase: "running", affinity: { mode, algorithm: "round_robin" } },
  replicas: { "replica-1": { phase: "running" }, "replica-2": { phase: "running" }, "replica-3": { phase: "running" } },
  visitors: { phase: "running", count: count ?? Object.keys(people).length },
  people,
});
const crowd = (...groups) => Object.fromEntries(groups.flatMap(([n, of], g) => Array.from({ length: n }, (_, i) => [`visitor-${g}${i}`, of])));

test("the verdict says how many could not connect, and what became of the rest", () => {
  const { tone, title, more } = affinityVerdict(lab(crowd([12, person("refused")], [3, person("connected", "kept")], [5, person("connected", "lost")])));
  assert.equal(tone, "refused");
  assert.equal(title, "12 of 20 visitors could not connect");
  assert.equal(more, "The balancer asked replicas that do not know them. 3 kept their memory, 5 lost it.");
});

test("the verdict says that all are with their memory only when all are", () => {
  assert.equal(affinityVerdict(lab(crowd([20, person("connected", "new")]), { mode: "cookie" })).title, "All 20 visitors are with their memory");
  assert.equal(affinityVerdict(lab(crowd([19, person("connected", "new")]), { count: 20 })).title, "19 of 20 visitors are connected");
  assert.equal(affinityVerdict(lab(crowd([1, person("connected", "lost")]))).title, "The visitor came back without its memory");
});

test("the verdict of a lab that does not run says its phase, and a failure says its message and hint", () => {
  assert.equal(affinityVerdict(null).title, "Connecting to the lab");
  assert.equal(affinityVerdict({ affinity_lab: { phase: "stopped" } }).title, "No replicas yet");
  const starting = { affinity_lab: { phase: "starting" }, replicas: { "replica-1": { phase: "running" }, "replica-2": { phase: "starting" } } };
  assert.equal(affinityVerdict(starting, 1.9).title, "Starting the lab");
  assert.equal(affinityVerdict(starting, 4.2).title, "Starting the lab, 4 s");
  assert.equal(affinityVerdict(starting).more, "Running: replica-1. Starting: replica-2.");
  const error = { kind: "port_taken", message: "Port 8090 is taken.", hint: "Stop what uses it." };
  assert.deepEqual(affinityVerdict({ affinity_lab: { phase: "failed", error } }), { tone: "refused", title: "Port 8090 is taken.", more: "Stop what uses it." });
});

test("a browser counts as a visitor beside the crowd, and those not heard of yet are waiting", () => {
  const people = { ...crowd([2, person("connected", "new")]), "browser-3f2a": { kind: "browser", status: "connected", memory: "new" } };
  assert.deepEqual(census(lab(people, { count: 4 })), { total: 5, connected: 3, kept: 0, lost: 0, fresh: 3, refused: 0, waiting: 2 });
});

test("the verdict of Hello-Go follows the build, then the program", () => {
  const steps = { 1: {}, 2: {} };
  assert.equal(helloVerdict({ hello_go: { phase: "starting", build: { phase: "running", total: 11, steps } } }, 3).title, "Building: step 2 of 11, 3 s");
  assert.equal(helloVerdict({ hello_go: { phase: "running", url: "http://127.0.0.1:8080", calls: null } }).title, "Hello-Go answers on port 8080");
  const built = { engine: { name: "docker" }, hello_go: { phase: "stopped", image: { size: 7800000 } } };
  assert.equal(helloVerdict(built).title, "Built: the image has 7.8 MB");
  const images = { build: { size: 320754161 } };
  const both = (image) => helloVerdict({ engine: { name: "docker" }, hello_go: { phase: "stopped", images, image: { layers: [{}], ...image } } }).title;
  assert.equal(both({ role: "runtime", size: 7821189 }), "The compiler stays behind: 321 MB becomes 7.8");
  assert.equal(both({ role: "single", size: 320754161 }), "The compiler came along: 321 MB");
});

test("a failed build is told until what is on the page is built", () => {
  const title = (sources, build = "broken") =>
    helloVerdict({ hello_go: { phase: "running", url: "http://127.0.0.1:8080", sources, image: { sources: "whole", size: 1 }, build: { phase: "failed", sources: build } } }).title;
  assert.equal(title("broken"), "The build failed");
  assert.equal(title("other"), "The build failed");
  assert.equal(title("whole"), "Hello-Go answers on port 8080");
  assert.equal(title("whole", "whole"), "The build failed", "the same sources, built again, failed");
});

test("each line of the log has a shape that says how it went", () => {
  assert.equal(shapeOf({ kind: "connection.refused", level: "warning" }), "refused");
  assert.equal(shapeOf({ kind: "circuit.rejected", level: "warning" }), "warn");
  assert.equal(shapeOf({ kind: "circuit.resumed", level: "info" }), "ok");
  assert.equal(shapeOf({ kind: "fault.drop_asked", level: "info" }), "info");
  assert.equal(shapeOf({ kind: "balancer.died", level: "error" }), "refused");
});

test("a search for visitor-7 does not find visitor-70, and words must all occur", () => {
  const line = (visitor, text) => ({ source: "replica-1", kind: "page.served", level: "info", text, data: { visitor } });
  const filter = { ...createFilter(), words: wordsOf("visitor-7 PAGE") };
  assert.ok(passes(filter, line("visitor-7", "got the page")));
  assert.ok(!passes(filter, line("visitor-70", "got the page")));
  assert.ok(!passes({ ...filter, words: wordsOf("visitor-7 404") }, line("visitor-7", "got the page")));
  assert.doesNotThrow(() => wordsOf("( [ \\ * 7"));
});

test("sources, shapes and kinds are filtered together, and offered in order", () => {
  const choices = createChoices();
  const refused = { source: "replica-10", kind: "connection.refused", level: "warning", text: "" };
  const served = { source: "replica-2", kind: "page.served", level: "info", text: "" };
  countIn(choices, [refused, served, { ...served, source: "balancer" }]);
  assert.deepEqual(inOrder(choices.sources.keys()), ["replica-2", "replica-10", "balancer"]);
  const filter = createFilter();
  filter.sources.add("replica-10");
  assert.deepEqual([refused, served].map((event) => passes(filter, event)), [true, false]);
  filter.shapes.add("ok");
  assert.equal(passes(filter, refused), false);
});

test("refusals are counted anew from the last thing that somebody changed", () => {
  const tally = createTally();
  const refused = (replica) => ({ kind: "connection.refused", at: "t1", source: replica, data: { replica } });
  count(tally, [refused("replica-1"), { kind: "fault.drop_asked", at: "t2", source: "dashboard" }, refused("replica-2"), refused("replica-2")]);
  assert.deepEqual(tally, { since: "t2", refused: { "replica-2": 2 }, total: 2 });
});

test("the verdict says what keeps visitors where they are, or that a frozen replica answers nothing", () => {
  const all = crowd([3, person("connected", "new")], [1, person("connected", "new", "replica-2")]);
  assert.equal(affinityVerdict(lab(all, { mode: "source_ip" })).more, "The address of each decides for a replica, and that one knows them.");
  const state = lab(all, { mode: "cookie" });
  state.replicas["replica-2"].phase = "frozen";
  const { tone, title, more } = affinityVerdict(state);
  assert.deepEqual([tone, title], ["warn", "1 of 4 visitors gets no answer"]);
  assert.match(more, /^replica-2 is frozen/i);
  state.people = crowd([3, person("connected", "new")]);
  assert.match(affinityVerdict(state).more, /replica-2 is frozen\.$/);
});

test("what can be done to a replica follows its phase", () => {
  assert.deepEqual(possible("replica-1", "running", true), ["kill", "freeze", "restart", "stop", "drop"]);
  assert.ok(possible("replica-1", "running", false).includes("drain"));
  assert.deepEqual(possible("replica-1", "frozen"), ["kill", "thaw", "restart", "stop"]);
  assert.deepEqual(possible("replica-1", "failed"), ["start"]);
  assert.deepEqual(possible("replica-1", "starting"), []);
  assert.deepEqual(possible("balancer", "running"), ["restart"]);
});

test("each trap knows when it is set and what to ask for", () => {
  const state = { balancer: { affinity: { mode: "none" } }, visitors: { cookies: true, one_address: false } };
  for (const [id, { isOn, set }] of Object.entries(TRAPS)) {
    assert.equal(isOn(state), false, id);
    assert.ok(set(true, state).every(([path]) => path === "/affinity" || path === "/visitors"), id);
  }
  assert.deepEqual(TRAPS["trap-jar"].set(true, state), [["/affinity", { mode: "cookie" }], ["/visitors", { cookies: false }]]);
  assert.deepEqual(TRAPS["trap-address"].set(false, state), [["/visitors", { one_address: false }]]);
  assert.deepEqual(TRAPS["trap-expires"].set(true, state), [["/affinity", { mode: "cookie", cookie: { ttl_seconds: 30 } }], ["/visitors", { anew: true }]]);
  const cookie = { path: "/_blazor/negotiate", ttl_seconds: 30, strict: true };
  const thrown = { balancer: { affinity: { mode: "cookie", cookie } }, visitors: { cookies: false, one_address: true } };
  for (const [id, { isOn }] of Object.entries(TRAPS)) assert.equal(isOn(thrown), true, id);
});

const apps = (reason) => [{ name: "circuit", available: true, reason: null }, { name: "blazor", available: !reason, reason }];

test("an app that cannot run here is not launched, and its reason stands there", () => {
  assert.equal(appToLaunch({ app: "blazor", apps: apps(null) }), "blazor");
  assert.equal(appToLaunch({ app: "blazor", apps: apps("No SDK. Install it.") }), "circuit");
  assert.match(note({ apps: apps("No SDK. Install it.") }, "circuit", true), /Blazor cannot run here: No SDK. Install it.$/);
});

test("while one app runs, the other waits for the lab to stop", () => {
  assert.match(note({ apps: apps(null) }, "blazor", false), /stop the lab/);
  assert.doesNotMatch(note({ apps: apps(null) }, "blazor", true), /stop the lab/);
});
