import assert from "node:assert/strict";
import { test } from "node:test";
import { concerns } from "../../static/js/checks_view.js";
import { deedLine, follow, howFar, timeLeft } from "../../static/js/exercise_words.js";

const step = { checks: [{ kinds: ["circuit.rejected"] }, { kinds: ["replica."] }] };

test("a step's checks are asked again only for events that they read", () => {
  assert.equal(concerns(step, [{ kind: "circuit.rejected" }]), true);
  assert.equal(concerns(step, [{ kind: "replica.killed" }]), true);
  assert.equal(concerns(step, [{ kind: "circuit.started" }, { kind: "job.finished" }]), false);
  assert.equal(concerns(step, []), false);
});

test("time that is over is said and ends nothing", () => {
  assert.equal(timeLeft(61), "2 min left");
  assert.equal(timeLeft(0), "0 min left");
  assert.equal(timeLeft(-61), "2 min over; nothing ends");
});

test("how far one got", () => {
  const steps = [{ passed: true }, { passed: false }];
  assert.equal(howFar({ begun: false, steps }), "not begun");
  assert.equal(howFar({ begun: true, steps }), "1 of 2 done");
  assert.equal(howFar({ begun: true, steps: [{ passed: true }] }), "all done");
});

test("a deed is shown as the call that it is", () => {
  assert.equal(deedLine({ method: "PUT", path: "/visitors", body: { count: 12 } }), 'PUT /visitors {"count":12}');
  assert.equal(deedLine({ method: "POST", path: "/hello-go/build", body: null }), "POST /hello-go/build");
  assert.equal(deedLine({ wait: "lab_runs", arguments: {} }), "wait: lab runs");
});

test("followers are counted in words", () => {
  assert.equal(follow(0), "nobody follows");
  assert.equal(follow(1, "lab:8000/join/x"), "1 follows at lab:8000/join/x");
  assert.equal(follow(14), "14 follow");
});
