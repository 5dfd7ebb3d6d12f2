import assert from "node:assert/strict";
import { test } from "node:test";
import { shapeOf } from "../../static/js/kinds.js";
import { sequence, stepsShown } from "../../static/js/sequence.js";

const step = (kind, request, asked, more = {}) => ({ kind, request, asked, holder: null, status: 200, answer: "fine", refused: false, fate: null, cookie_words: kind === "call" ? null : "no cookie", ...more });
const negotiate = (asked, id) => step("negotiate", "POST negotiate", asked, { holder: asked, answer: `connection ${id}` });
const refused = (asked, holder, id) => step("connect", `GET ?id=${id}, WebSocket`, asked, { holder, status: 404, answer: "No Connection with that ID", refused: true });
const told = (failure, steps, visitor = "visitor-7") => ({ visitor, steps, verdict: { failure } });

const WRONG = told("connection_unknown", [
  step("page", "GET /", "replica-2"), negotiate("replica-1", "AWfXq2…"), refused("replica-3", "replica-1", "AWfXq2…"),
  negotiate("replica-2", "BWfXq2…"), refused("replica-4", "replica-2", "BWfXq2…"),
]);

test("a wrong number is drawn as far as the first refusal, the rest on request", () => {
  const short = sequence(WRONG);
  assert.deepEqual([short.rows.length, short.hidden], [3, 2]);
  assert.deepEqual(short.lives.map(({ name }) => name), ["visitor-7", "balancer", "replica-1", "replica-2", "replica-3"]);
  const whole = sequence(WRONG, true);
  assert.deepEqual([whole.rows.length, whole.hidden], [5, 0]);
  assert.ok(whole.lives.some(({ name }) => name === "replica-4"));
});

test("who holds is remembered under the negotiate, and the bracket goes from holder to who was asked", () => {
  const { memos, miss, lives } = sequence(WRONG);
  const at = (name) => lives.find((life) => life.name === name).x;
  assert.deepEqual(memos.map(({ replica, text }) => [replica, text]), [["replica-1", "holds AWfXq2…"]]);
  assert.deepEqual([miss.text, miss.from, miss.to], ["wrong number", at("replica-1"), at("replica-3")]);
});

test("an arrow ends at the lifeline of the replica that was asked, or at the balancer when none was", () => {
  const { rows, lives } = sequence(told("no_replica", [step("other", "GET /", null, { refused: true, status: 503 })]));
  assert.equal(rows[0].to, lives[1].x);
  const [row] = sequence(told(null, [step("page", "GET /", "replica-2")])).rows;
  assert.ok(row.from < row.via && row.via < row.to && row.ask < row.reply && row.reply < row.below);
});

test("each step ends where it was asked, and there is no bracket where asked and holder are one", () => {
  const { rows, lives } = sequence(WRONG);
  const at = (name) => lives.find((life) => life.name === name).x;
  assert.deepEqual(rows.map(({ to }) => to), ["replica-2", "replica-1", "replica-3"].map(at));
  assert.equal(sequence(told("connection_unknown", [refused("replica-1", "replica-1", "a")])).miss, null);
});

test("the visitor wears the colour of the replica that held it last", () => {
  assert.equal(sequence(WRONG).lives[0].replica, "replica-1");
  assert.equal(sequence(told(null, [step("page", "GET /", "replica-1")])).lives[0].replica, null);
});

test("a memory elsewhere, gone, or a page of another key: each has its own memo and bracket", () => {
  const rejected = (fate) => told("circuit_unknown", [step("call", "ConnectCircuit c1", "replica-2", { holder: "replica-1", refused: true, fate, status: null })]);
  assert.deepEqual([sequence(rejected("held")).memos[0].text, sequence(rejected("held")).miss.text], ["holds its memory", "the memory is there"]);
  assert.deepEqual([sequence(rejected("killed")).memos[0].text, sequence(rejected("killed")).miss], ["had it, was killed", null]);
  const page = sequence(told("page_from_elsewhere", [step("page", "GET /", "replica-1"), step("call", "StartCircuit", "replica-2", { holder: "replica-1", refused: true, status: null })]));
  assert.deepEqual([page.memos[0].text, page.miss.text], ["signed the page", "another key"]);
});

test("nothing overlaps and nothing leaves the drawing, up to ten replicas and for long names", () => {
  for (let replicas = 1; replicas <= 10; replicas += 1) {
    const steps = Array.from({ length: replicas }, (_, i) => [negotiate(`replica-${i + 1}`, "AWfXq2…"), refused(`replica-${i + 1}`, "replica-1", "AWfXq2…")]).flat();
    steps[0].cookie_words = "old cookie for replica-10, ignored";
    const drawn = sequence(told("connection_unknown", steps, "browser-3f2a1b2c"), true);
    const boxes = drawn.lives.map(({ x, box }) => [x - box / 2, x + box / 2]);
    assert.ok(boxes.every(([left, right], i) => left >= 0 && right <= drawn.width + 0.01 && (i === 0 || left >= boxes[i - 1][1])), `${replicas} replicas`);
    assert.ok(drawn.memos.every(({ x, width }) => x - width / 2 >= 0 && x + width / 2 <= drawn.width));
    for (const [i, row] of drawn.rows.entries()) {
      assert.ok(row.words.length <= 2 && row.words.every((text) => row.from + 10 + text.length * 6.5 <= drawn.width + 4), row.words.join("|"));
      assert.ok(i === 0 || row.top >= drawn.rows[i - 1].reply);
    }
    assert.ok(drawn.height > drawn.rows.at(-1).reply);
  }
});

test("a story without steps draws nothing but two lifelines", () => {
  const drawn = sequence(told(null, []));
  assert.deepEqual([drawn.rows, drawn.memos, drawn.miss, drawn.lives.length], [[], [], null, 2]);
});

test("a connection that succeeded is drawn whole, also when a try was refused before", () => {
  const steps = [refused("replica-3", "replica-1", "a"), negotiate("replica-1", "b"), step("call", "StartCircuit", "replica-1", { holder: "replica-1", status: null })];
  assert.equal(stepsShown(told(null, steps), false).length, 3);
});

test("each of the three failures has a shape of its own in the log", () => {
  const shapes = ["connection.refused", "circuit.rejected", "page.rejected"].map((kind) => shapeOf({ kind, level: "warning" }));
  assert.deepEqual(shapes, ["refused", "warn", "elsewhere"]);
});
