import assert from "node:assert/strict";
import { test } from "node:test";
import { join, requestsOf, sizeOf, SINGLY } from "../../static/js/flock.js";
import { fitCells, layout } from "../../static/js/layout.js";
import { cut, curve, line, pointAt } from "../../static/js/path.js";
import { factsOf } from "../../static/js/picture_table.js";
import { stepsOf } from "../../static/js/picture_story.js";
import { groupsOf, labelOf, makeScene } from "../../static/js/scene.js";

/** A lab of so many visitors spread over so many replicas, all connected. */
function lab(visitors, replicas) {
  const state = { people: {}, circuits: {}, replicas: {}, balancer: { phase: "running", affinity: { mode: "none" } } };
  for (let i = 1; i <= replicas; i += 1) state.replicas[`replica-${i}`] = { phase: "running" };
  for (let i = 1; i <= visitors; i += 1) {
    const replica = `replica-${1 + (i % replicas)}`;
    state.people[`visitor-${i}`] = { kind: "virtual", status: "connected", circuit: `c${i}`, replica, memory: "new" };
    state.circuits[`c${i}`] = { replica, visitor: `visitor-${i}`, connected: true };
  }
  return state;
}

const SIZES = [[0, 1], [1, 1], [3, 2], [20, 3], [60, 3], [60, 10], [61, 4], [200, 10], [1000, 10]];

test("a memory is held, waits for its visitor, or is abandoned", () => {
  const state = lab(3, 1);
  state.circuits.c1.connected = false;
  state.circuits.c2.connected = false;
  state.people["visitor-2"].circuit = "elsewhere";
  const [replica] = makeScene(state).replicas;
  assert.deepEqual([replica.held, replica.waiting, replica.orphan].map((cells) => cells.map(({ visitor }) => visitor)), [["visitor-3"], ["visitor-1"], ["visitor-2"]]);
});

test("a visitor is shown by its number, a browser by the first letters of its name", () => {
  assert.deepEqual(["visitor-7", "browser-3f2a", null].map(labelOf), ["7", "3f", "?"]);
});

test("everything stays inside the picture, wide and tall, for every size of lab", () => {
  for (const [visitors, replicas] of SIZES) {
    for (const tall of [false, true]) {
      const geometry = layout(makeScene(lab(visitors, replicas)), tall);
      const inside = (x, y) => x >= 0 && x <= geometry.width && y >= 0 && y <= geometry.height;
      const told = `${visitors} visitors, ${replicas} replicas, ${tall ? "tall" : "wide"}`;
      for (const box of geometry.replicas) {
        assert.ok(inside(box.x, box.y) && inside(box.x + box.w, box.y + box.h), `${box.name}: ${told}`);
        for (const cell of box.cells) assert.ok(cell.x + cell.size <= box.x + box.w && cell.y + cell.size <= box.y + box.h, `cell of ${box.name}: ${told}`);
      }
      for (const { x, y, r } of geometry.visitors) assert.ok(inside(x - r, y - r) && inside(x + r, y + r), told);
      for (const group of geometry.groups) assert.ok(inside(group.x + group.w, group.y), told);
    }
  }
});

test("visitors drawn singly do not cover each other", () => {
  for (const tall of [false, true]) {
    const { visitors } = layout(makeScene(lab(60, 3)), tall);
    for (let i = 0; i < visitors.length; i += 1) {
      for (let j = i + 1; j < visitors.length; j += 1) {
        const distance = Math.hypot(visitors[i].x - visitors[j].x, visitors[i].y - visitors[j].y);
        assert.ok(distance >= 24, `${visitors[i].name} and ${visitors[j].name} are ${distance} apart`);
      }
    }
  }
});

test("over sixty visitors become bars that add up to all of them", () => {
  const state = lab(100, 3);
  state.people["visitor-1"] = { kind: "virtual", status: "failed", replica: null };
  const scene = makeScene(state);
  assert.equal(layout(scene, false).visitors.length, 0);
  const groups = groupsOf(scene);
  assert.equal(groups.reduce((sum, group) => sum + group.total, 0), 100);
  assert.deepEqual(groups.at(-1), { name: null, kept: 0, lost: 0, refused: 1, waiting: 0, total: 1 });
});

test("cells are as large as fits, and give way to bars when none fit", () => {
  assert.equal(fitCells(162, 80, 6).size, 22);
  assert.ok(fitCells(162, 80, 40).size < 22);
  assert.equal(fitCells(162, 20, 1000), null);
});

test("a dot begins and ends where its path does", () => {
  const path = [...curve(0, 0, 10, 20, "down"), ...line(10, 20, 10, 50)];
  assert.deepEqual(pointAt(path, 0), [0, 0]);
  assert.deepEqual(pointAt(path, 1).map(Math.round), [10, 50]);
  assert.deepEqual(pointAt(line(0, 0, 10, 0), 0.5).map(Math.round), [5, 0]);
  assert.deepEqual(cut(line(0, 0, 30, 0), 0.5).path[0].slice(-2).map(Math.round), [15, 0]);
});

test("a visitor's story is its last negotiate and what came after it", () => {
  const at = (kind, replica, visitor = "visitor-7") => ({ kind, source: replica, data: { visitor, replica } });
  const events = [at("connection.negotiated", "replica-2"), at("connection.refused", "replica-3"), at("connection.negotiated", "replica-1"), at("connection.negotiated", "replica-2", "visitor-8"), at("connection.refused", "replica-3")];
  assert.deepEqual(stepsOf(events, "visitor-7").map(({ replica, wrong }) => [replica, wrong]), [["replica-1", false], ["replica-3", true]]);
  assert.deepEqual(stepsOf(events, "visitor-9"), []);
  assert.deepEqual(stepsOf(events, null), []);
});

const request = (ms, kind = "connection.routed", replica = "replica-1") => ({ kind, source: replica, at: new Date(ms).toISOString(), data: { visitor: "visitor-1", replica } });

test("each request is a dot of its own, as far apart as they were", () => {
  const dots = join([], requestsOf([request(0), { kind: "circuit.started" }, request(40, "connection.refused", "replica-2"), request(900)]), 1000);
  assert.deepEqual(dots.map(({ replica, wrong, at, many }) => [replica, wrong, at, many]), [["replica-1", false, 1000, 1], ["replica-2", true, 1040, 1], ["replica-1", false, 1300, 1]]);
});

test("a storm becomes larger dots that stand for all requests, and no more dots than can be told apart", () => {
  let dots = [];
  let requests = 0;
  for (let batch = 0; batch < 23; batch += 1) {
    const events = Array.from({ length: 500 }, (_, i) => request(batch * 100 + i / 5, i % 3 ? "connection.routed" : "connection.refused", `replica-${1 + (i % 10)}`));
    requests += events.length;
    dots = join(dots, requestsOf(events), batch * 100);
  }
  assert.equal(dots.reduce((sum, { many }) => sum + many, 0), requests);
  assert.ok(dots.length < SINGLY + 23 * 20 + 20, `${dots.length} dots for ${requests} requests`);
  for (const dot of dots) assert.ok(sizeOf(dot) <= 15);
  assert.ok(dots.every(({ wrong, replica }) => replica && typeof wrong === "boolean"));
});

test("a request that nobody could take ends at the balancer, as refused", () => {
  const [dot] = join([], requestsOf([{ ...request(0, "request.failed"), data: {} }]), 0);
  assert.deepEqual([dot.replica, dot.wrong], [null, true]);
});

test("the table for screen readers has every visitor of the picture, or groups that add up to them", () => {
  const state = lab(3, 2);
  state.people["visitor-2"].status = "refused";
  assert.deepEqual(factsOf(state).rows, [["visitor-1", "connected", "replica-2"], ["visitor-2", "could not connect", "replica-1"], ["visitor-3", "connected", "replica-2"]]);
  const many = factsOf(lab(200, 10));
  assert.equal(many.rows.length, 10);
  assert.equal(many.rows.reduce((sum, row) => sum + Number(row[1]), 0), 200);
  assert.match(many.caption, /^200 visitors, .* Affinity none\.$/);
});
