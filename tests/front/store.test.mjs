import assert from "node:assert/strict";
import { test } from "node:test";
import { mergePatch } from "../../static/js/merge_patch.js";
import {
  createStore, forget, fromSnapshot, mustBeginAnew, replicasInOrder, takeEvents, takeSnapshot,
} from "../../static/js/store.js";

const event = (seq, patch) => ({ seq, at: "2026-11-22T19:20:01.123Z", source: "replica-1", kind: "page.served", level: "info", text: "", data: {}, ...(patch && { patch }) });
const events = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => event(from + i));
const snapshot = (seq, rest = {}) => ({ seq, replicas: [], people: {}, ...rest });

test("a merge patch does what RFC 7396 lists in its appendix", () => {
  const cases = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [["a", "b"], ["c", "d"], ["c", "d"]],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of cases) assert.deepEqual(mergePatch(target, patch), result);
});

test("a merge patch changes neither its target nor the patch, and shares what stayed the same", () => {
  const target = { people: { a: { status: "waiting" } }, circuits: { c: {} } };
  const patch = { people: { a: { status: "connected" } } };
  const result = mergePatch(target, patch);
  result.people.a.status = "changed";
  assert.equal(target.people.a.status, "waiting");
  assert.equal(patch.people.a.status, "connected");
  assert.equal(result.circuits, target.circuits);
});

test("a key named __proto__ is data and never a prototype", () => {
  const result = mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}'));
  assert.equal({}.polluted, undefined);
  assert.equal(result.polluted, undefined);
  assert.deepEqual(Object.keys(result), ["__proto__"]);
});

test("patches are folded in order and the state carries the last seq", () => {
  const store = createStore();
  takeSnapshot(store, snapshot(0), []);
  takeEvents(store, [event(1, { people: { "visitor-1": { status: "refused" } } }), event(2, { people: { "visitor-1": { status: "connected" } } })]);
  assert.equal(store.state.people["visitor-1"].status, "connected");
  assert.equal(store.state.seq, 2);
});

test("a snapshot's list of replicas is patched by name and read by number", () => {
  const store = createStore();
  const replicas = [{ name: "replica-2", phase: "running", connections: 1 }, { name: "replica-10", phase: "running" }];
  takeSnapshot(store, snapshot(5, { replicas }), []);
  takeEvents(store, [event(6, { replicas: { "replica-2": { connections: 4 }, "replica-10": null, "replica-1": { phase: "starting" } } })]);
  assert.deepEqual(replicasInOrder(store.state).map(({ name }) => name), ["replica-1", "replica-2"]);
  assert.equal(store.state.replicas["replica-2"].connections, 4);
  assert.deepEqual(fromSnapshot({ seq: 1 }).replicas, {});
});

test("events that the snapshot already holds are lines of the log but are not folded again", () => {
  const store = createStore();
  const fresh = takeSnapshot(store, snapshot(3, { people: { a: { status: "connected" } } }), [event(2, { people: { a: { status: "waiting" } } }), event(3)]);
  assert.equal(store.state.people.a.status, "connected");
  assert.deepEqual(fresh.map(({ seq }) => seq), [2, 3]);
});

test("events newer than the snapshot that came with them are folded", () => {
  const store = createStore();
  takeSnapshot(store, snapshot(3), [event(3), event(4, { people: { a: { status: "waiting" } } })]);
  assert.equal(store.state.people.a.status, "waiting");
  assert.equal(store.last, 4);
});

test("an event that comes twice is taken once", () => {
  const store = createStore();
  takeSnapshot(store, snapshot(2), events(1, 2));
  const { fresh, gap } = takeEvents(store, [event(2), event(3), event(3)]);
  assert.deepEqual(fresh.map(({ seq }) => seq), [3]);
  assert.equal(gap, false);
  assert.deepEqual(store.events.map(({ seq }) => seq), [1, 2, 3]);
});

test("a hole stops the taking before it and is reported", () => {
  const store = createStore();
  takeSnapshot(store, snapshot(2), events(1, 2));
  const { fresh, gap } = takeEvents(store, [event(3), event(5, { people: { a: {} } })]);
  assert.equal(gap, true);
  assert.deepEqual(fresh.map(({ seq }) => seq), [3]);
  assert.equal(store.last, 3);
  assert.deepEqual(store.state.people, {});
});

test("after a lost connection the log goes on where it was, page by page, with every seq once", () => {
  const store = createStore();
  takeSnapshot(store, snapshot(10), events(1, 10));
  takeEvents(store, events(11, 12));
  takeSnapshot(store, snapshot(30), events(13, 20));
  takeSnapshot(store, snapshot(30), events(21, 30));
  takeEvents(store, events(29, 31));
  assert.deepEqual(store.events.map(({ seq }) => seq), events(1, 31).map(({ seq }) => seq));
});

test("a workspace whose numbers begin again, and one too far ahead, are begun anew", () => {
  const store = createStore(100);
  assert.equal(mustBeginAnew(store, snapshot(4000), [{ seq: store.last + 1 }]), false);
  takeSnapshot(store, snapshot(812), events(800, 812));
  assert.equal(mustBeginAnew(store, snapshot(3), [{ seq: store.last + 1 }]), true);
  assert.equal(mustBeginAnew(store, snapshot(913), [{ seq: store.last + 1 }]), true);
  assert.equal(mustBeginAnew(store, snapshot(912), [{ seq: store.last + 1 }]), false);
  forget(store);
  takeSnapshot(store, snapshot(3), events(1, 3));
  assert.deepEqual(store.events.map(({ seq }) => seq), [1, 2, 3]);
  assert.equal(store.state.seq, 3);
});

test("who was away while the workspace was emptied begins anew, with or without events after it", () => {
  const store = createStore();
  takeSnapshot(store, snapshot(10), events(6, 10));
  assert.equal(mustBeginAnew(store, snapshot(22), events(21, 22)), true);
  assert.equal(mustBeginAnew(store, snapshot(20), []), true);
  assert.equal(mustBeginAnew(store, snapshot(10), []), false);
});

test("an empty workspace goes on with the first event that follows its snapshot", () => {
  const store = createStore();
  takeSnapshot(store, snapshot(0), []);
  assert.deepEqual(takeEvents(store, [event(1)]).fresh.length, 1);
});

test("memory is bounded, and what is kept is the newest without a hole", () => {
  const store = createStore(100);
  takeSnapshot(store, snapshot(0), []);
  for (let seq = 1; seq <= 1000; seq += 1) takeEvents(store, [event(seq)]);
  assert.ok(store.events.length <= 120);
  assert.ok(store.events.length >= 100);
  assert.deepEqual(store.events.map(({ seq }) => seq), events(store.events[0].seq, 1000).map(({ seq }) => seq));
});

test("what a batch does not touch keeps its identity, so that views can tell", () => {
  const store = createStore();
  takeSnapshot(store, snapshot(1, { people: { a: { status: "waiting" } }, circuits: { c: {} } }), []);
  const before = store.state;
  takeEvents(store, [event(2, { people: { a: { status: "connected" } } }), event(3, { people: { a: { memory: "new" } } })]);
  assert.equal(before.people.a.status, "waiting");
  assert.notEqual(store.state.people, before.people);
  assert.equal(store.state.circuits, before.circuits);
  assert.deepEqual(store.state.people.a, { status: "connected", memory: "new" });
});
