import assert from "node:assert/strict";
import { test } from "node:test";
import { count, createCounts, look, median, sentenceOf, SPAN, STEP, sum, thinned } from "../../static/js/charts_data.js";
import { ceilingOf } from "../../static/js/charts_plot.js";

const BEGIN = Date.UTC(2026, 10, 22, 20, 0, 0) / 1000;
let seq = 0;
const event = (at, kind, data = {}, patch = {}, source = "replica-1") => ({ seq: (seq += 1), at: new Date((BEGIN + at) * 1000).toISOString(), source, kind, level: "info", text: "", data, patch });
const counted = (events) => {
  const counts = createCounts();
  count(counts, events);
  return counts;
};
const mode = (at, name) => event(at, "affinity.changed", {}, { balancer: { affinity: { mode: name } } }, "balancer");

test("refusals are counted in the bar of their moment, and each event once", () => {
  const events = [event(1, "connection.refused"), event(4.9, "request.failed"), event(5, "connection.refused"), event(6, "connection.routed")];
  const counts = counted(events);
  count(counts, events);
  const { xs, bars } = look(counts, BEGIN + 12);
  const at = (second) => bars.refused[xs.indexOf(BEGIN + second)];
  assert.deepEqual([at(0), at(5), at(10)], [2, 1, 0]);
  assert.equal(xs.length, SPAN / STEP);
});

test("who was cut off and came back took so long, with or without its memory", () => {
  const events = [
    event(0, "connection.closed", { visitor: "visitor-1", circuit: "c1", reason: "dropped" }),
    event(0.1, "visitor.reconnecting", { visitor: "visitor-1", attempt: 1 }),
    event(0.4, "circuit.resumed", { visitor: "visitor-1", circuit: "c1" }),
    event(0.5, "visitor.connected", { visitor: "visitor-1", memory: "kept" }),
    event(1, "visitor.reconnecting", { visitor: "visitor-2", attempt: 1 }),
    event(3, "visitor.reconnecting", { visitor: "visitor-2", attempt: 2 }),
    event(4, "visitor.connected", { visitor: "visitor-2", memory: "lost" }),
    event(5, "visitor.connected", { visitor: "visitor-3", memory: "new" }),
  ];
  const seen = look(counted(events), BEGIN + 6);
  assert.deepEqual([sum(seen.bars.kept), sum(seen.bars.lost)], [1, 1]);
  assert.deepEqual(seen.times.map(([, seconds]) => seconds), [0.5, 3]);
  assert.match(sentenceOf(seen), /1 visitors back without their memory, 1 back with it\. To recover took 1\.8 seconds in the middle and 3\.0 at most\./);
});

test("a real browser is told of by its replica, and a client that closes by itself was not cut off", () => {
  const events = [
    event(0, "connection.closed", { visitor: "browser-3f", circuit: "c", reason: "client" }),
    event(1, "circuit.resumed", { visitor: "browser-3f" }),
    event(2, "circuit.started", { visitor: "browser-4a" }, { people: { "browser-4a": { memory: "lost" } } }),
    event(3, "circuit.started", { visitor: "browser-5b" }, { people: { "browser-5b": { memory: "new" } } }),
  ];
  const seen = look(counted(events), BEGIN + 6);
  assert.deepEqual([sum(seen.bars.kept), sum(seen.bars.lost), seen.times], [1, 1, []]);
});

test("bands say which affinity was set when, also the one from before the three minutes", () => {
  const seen = look(counted([mode(0, "none"), mode(10, "none"), mode(200, "cookie"), mode(220, "source_ip")]), BEGIN + 239);
  assert.deepEqual(seen.bands.map(({ from, to, mode: name }) => [from - BEGIN, to - BEGIN, name]), [[60, 200, "none"], [200, 220, "cookie"], [220, 240, "source_ip"]]);
});

test("a fault is marked with what it was and whom it met", () => {
  const seen = look(counted([event(1, "fault.drop_asked", {}, {}, "dashboard"), event(2, "replica.killed", {}, {}, "replica-2")]), BEGIN + 3);
  assert.deepEqual(seen.marks.map(({ at, words }) => [at - BEGIN, words]), [[1, "drop"], [2, "kill replica-2"]]);
});

test("connections of a replica go on as they were until something changes, and are not guessed before", () => {
  const live = (at, number) => event(at, "connection.opened", {}, { replicas: { "replica-1": { connections: number } } });
  const seen = look(counted([live(0, 3), live(11, 5)]), BEGIN + 21, { "replica-1": { connections: 6 }, "replica-2": { connections: 2 } });
  assert.deepEqual(seen.live["replica-1"].slice(-6), [null, 3, 3, 5, 5, 6]);
  assert.ok(seen.live["replica-2"].every((number) => number === 2));
});

test("memory stays bounded in a storm that does not end", () => {
  const counts = createCounts();
  for (let second = 0; second < 2000; second += 1) {
    const events = [];
    for (let i = 0; i < 50; i += 1) events.push(event(second, "connection.refused"), event(second, "visitor.reconnecting", { visitor: `browser-${second}-${i}` }), event(second, "fault.drop_asked"));
    events.push(mode(second, second % 2 ? "none" : "cookie"), event(second, "visitor.reconnecting", { visitor: "visitor-1" }), event(second, "visitor.connected", { visitor: "visitor-1", memory: "kept" }));
    count(counts, events);
  }
  assert.ok(counts.bars.refused.size <= SPAN / STEP + 2);
  assert.ok(counts.away.size <= 3000 && counts.times.length <= 4000 && counts.marks.length <= 50 && counts.modes.length <= 101);
  assert.equal(sum(look(counts, BEGIN + 1999).bars.refused), 50 * SPAN);
});

test("dots that would cover each other are one, and the highest and the lowest are still there", () => {
  const times = Array.from({ length: 4000 }, (_, i) => [BEGIN + Math.floor(i / 200) * 2, 0.2 + ((i * 7) % 200) / 1000]).concat([[BEGIN + 39, 12]]);
  const dots = thinned(times);
  assert.ok(dots.length < 100, `${dots.length} dots`);
  assert.equal(Math.max(...dots.map(([, seconds]) => seconds)), 12);
  assert.deepEqual(thinned([[1, 0.5], [1.5, 4]]), [[1, 0.5], [1.5, 4]]);
});

test("an axis ends at a round number above everything, and medians are medians", () => {
  assert.deepEqual([0, 3, 4, 9, 11, 48, 101].map((most) => ceilingOf(most, 4)), [4, 4, 4, 10, 20, 50, 200]);
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
});
