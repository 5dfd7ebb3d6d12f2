import assert from "node:assert/strict";
import { test } from "node:test";
import { hasOverview, summed, verdictOf } from "../../static/js/runs_overview.js";
import { timesOf } from "../../static/js/runs_replay.js";
import { about, allOnOne, cellOf, cellWords, choiceOf, differWords, endedWords, expectedPercent, factsOf, loadOf, percent, progressOf, roughly, storyOf, titleOf } from "../../static/js/runs_words.js";

const plan = { n: 20, affinities: ["none", "cookie"], transports: ["auto"], situations: ["drop"], keys: ["own"], replicas: 3, algorithm: "round_robin", attempts: 2, engine: "local" };
const labels = { situations: { drop: { label: "Reconnect after drop", title: "who came back after a drop" } }, transports: { auto: { label: "Auto" } } };
const run = { id: 14, phase: "finished", asked_at: "2026-11-22T19:20:00Z", plan, labels, cells: [], error: null };
const outcome = (more) => ({ n: 20, back: 0, kept: 0, lost: 0, failed: 0, away: 0, seconds: null, load: { "replica-1": 0, "replica-2": 0 }, requests: {}, ...more });

test("a run says what was asked and under which conditions", () => {
  assert.equal(titleOf(run, "drop"), "Run 14: who came back after a drop");
  assert.equal(factsOf(run, "drop"), "20 visitors a cell, 3 replicas, round robin, local engine, first 2 tries.");
  assert.match(factsOf({ plan: { ...plan, keys: ["store"] } }, "drop"), /keys and memories in Redis/);
  assert.doesNotMatch(factsOf({ plan: { ...plan, keys: ["own", "shared"] } }, "drop"), /keys/);
  assert.match(factsOf(run, "replica_death"), /only those on the replica that ended are counted/);
  assert.equal(choiceOf({ ...run, phase: "cut_off" }, () => "19:20:00"), "14, 19:20:00, n 20, 3 replicas, cut off when the dashboard ended");
});

test("a run that was cut short says how far it came", () => {
  assert.equal(endedWords(run), "");
  assert.equal(endedWords({ ...run, phase: "cancelled", cells: [{}] }), "Cancelled after 1 of 2 cells; what was measured is kept.");
  assert.match(endedWords({ ...run, phase: "failed", error: { message: "replica-2 is failed." } }), /^Failed after 0 of 2 cells.* replica-2 is failed\.$/);
});

test("a cell is told with its n, with what theory expects and why", () => {
  const theory = { back: 0.23, kept: 0.19, why: "Because." };
  const seconds = { median: 0.05, p95: 2.1, slowest: 2.13 };
  const words = storyOf({ situation: "drop", outcome: outcome({ back: 6, kept: 4, lost: 2, failed: 5, away: 9, seconds }), theory }, plan).join(" ");
  assert.equal(words, "6 of 20 came back, 4 with their memory, 2 without it, 5 gave up, 9 were not back after 2 tries. It took 0.05 s in the middle, 2.1 s at most. Theory expects 23 % of 20, 19 % with memory. Because.");
  assert.match(storyOf({ situation: "page_reload", outcome: outcome({ back: 20, lost: 20 }), theory }, plan)[0], /^20 of 20 connected again, all without their memory\.$/);
  assert.match(storyOf({ situation: "drop", outcome: outcome({}), theory: null }, plan).join(" "), /no number/);
});

test("where a cell differs from what is documented, story and foot say so", () => {
  const differs = ["Theory has all of 22 back, measured 14."];
  const theory = { back: 1, kept: 0, why: "Because." };
  assert.equal(storyOf({ situation: "replica_death", outcome: outcome({ back: 14, lost: 14 }), theory, differs }, plan).at(-1), differs[0]);
  assert.match(storyOf({ situation: "drop", outcome: outcome({}), theory: null, differs }, { ...plan, app: "blazor" }).join(" "), /as there is to draw\. Theory has all/);
  assert.equal(differWords([{}, { differs: [] }]), "");
  assert.match(differWords([{ differs }, {}]), /^One cell differs from what is documented by more than chance/);
  assert.match(differWords([{ differs }, { differs }]), /^2 cells differ/);
});

test("shares are whole percent, and small expectations are not rounded to nothing", () => {
  assert.deepEqual([percent(6, 20), percent(0, 20), percent(0, 0)], [30, 0, null]);
  assert.deepEqual([1, 0.333, 0.0041, 0.0001, 0].map(expectedPercent), ["100 %", "33 %", "0.4 %", "< 0.1 %", "0 %"]);
});

test("the load of a row is all of its cells, and everybody on one replica is noticed", () => {
  const cells = [outcome({ load: { "replica-1": 2, "replica-2": 0 } }), outcome({ load: { "replica-1": 3, "replica-2": 0 } })].map((each) => ({ outcome: each }));
  assert.deepEqual(loadOf(cells), { "replica-1": 5, "replica-2": 0 });
  assert.equal(allOnOne(cells), "replica-1");
  assert.equal(allOnOne([{ outcome: outcome({ load: { "replica-1": 1, "replica-2": 1 } }) }]), null);
});

test("progress is in words: which cell, and how long still", () => {
  const now = { phase: "measuring", done: 11, total: 60, seconds_left: 45, cell: { affinity: "none", transport: "auto", situation: "drop" } };
  assert.equal(progressOf(now, run, 5), "Measuring cell 12 of 60: none, Auto, reconnect after drop. About 40 seconds left.");
  assert.equal(progressOf({ phase: "putting_back" }, run, 0), "Putting the lab back as it was.");
  assert.deepEqual([3, 42, 170].map(about), ["a few seconds", "about 40 seconds", "about 3 minutes"]);
  const offer = { restart_seconds: 6, situations: [{ name: "drop", seconds: 10, seconds_each: 0.1 }, { name: "away", seconds: 9, seconds_each: 0 }] };
  assert.equal(roughly(offer, new Set(["drop"]), 20), 12);
  assert.equal(roughly(offer, new Set(["drop"]), 20, 3), 36 + 2 * 6);
  assert.equal(roughly(offer, new Set(["drop", "away"]), 20, 2), 42 + 3 * 6);
});

test("a run with several kinds of keys is seen at a glance: all visitors of its cells together", () => {
  const of = (affinity, transport, keys, more, differs = []) => ({ situation: "drain", affinity, transport, keys, differs, outcome: outcome({ n: 10, ...more }) });
  const cells = [of("cookie", "auto", "own", { back: 10, lost: 10 }), of("cookie", "skip", "own", { back: 10, lost: 10 }, ["It differs."]), of("cookie", "auto", "shared", { back: 10, kept: 10 }), of("none", "skip", "shared", { back: 10, kept: 3, lost: 7 }), of("none", "auto", "shared", {})];
  assert.ok(hasOverview({ plan: { keys: ["own", "shared"] } }) && !hasOverview(run));
  const told = (way, keys) => verdictOf(summed(cells, "drain", way, keys), "drain");
  assert.deepEqual(summed(cells, "drain", "cookie", "own"), { n: 20, back: 20, kept: 0, lost: 20, differs: true });
  assert.deepEqual(told("cookie", "own"), ["warn", "memory lost"]);
  assert.deepEqual(told("cookie", "shared"), ["ok", "memory kept"]);
  assert.deepEqual(told("skip", "shared"), ["warn", "memory kept by some"]);
  assert.deepEqual(told("negotiate", "shared"), ["refused", "nobody is back"]);
  assert.deepEqual(verdictOf({ n: 10, back: 10 }, "first_connect"), ["ok", "works"]);
  assert.equal(summed(cells, "drain", "source_ip", "own").n, 0);
  assert.equal(cellOf({ cells }, { situation: "drain", affinity: "cookie", transport: "auto", keys: "shared" }), cells[2]);
  assert.equal(cellWords(cells[2], labels, true), "cookie, Auto, shared keys, drain");
});

test("in a replay time never runs back, however late a line was told", () => {
  const at = (second) => ({ at: `2026-11-22T19:20:0${second}.000Z` });
  assert.deepEqual(timesOf([at(1), at(3), at(2), at(4)]), [0, 2000, 2000, 3000]);
});
