import assert from "node:assert/strict";
import { test } from "node:test";

const known = {
  messages: {
    "%(name)s ended by itself.": "%(name)s endete von selbst.",
    "Launch it again.": "Starte es noch einmal.",
    "%(n)s visitor": ["%(n)s Besucher (einer)", "%(n)s Besucher"],
    "the balancer": "der Balancer",
    "There is no %(program)s in %(file)s.": "In %(file)s gibt es kein %(program)s.",
    Stop: "Stoppen",
  },
  recorded: ["%(name)s ended by itself.", "Launch it again.", "the balancer"],
};
const english = await import("../../static/js/text.js");
globalThis.document = { documentElement: { lang: "de", dataset: { words: `data:application/json,${encodeURIComponent(JSON.stringify(known))}` } } };
const german = await import("../../static/js/text.js?german");

test("English needs no catalogue: a sentence is itself, with its places filled in", () => {
  assert.equal(english.t("Stop"), "Stop");
  assert.equal(english.t("Kill %(name)s", { name: "replica-1" }), "Kill replica-1");
  assert.equal(english.t("%(a)s stays", {}), "%(a)s stays");
  assert.deepEqual([1, 2, 1000].map((n) => english.tn("%(n)s visitor", "%(n)s visitors", n)), ["1 visitor", "2 visitors", "1,000 visitors"]);
  assert.equal(english.number(26.84, 1), "26.8");
  assert.equal(english.recorded("replica-1 ended by itself."), "replica-1 ended by itself.");
});

test("another language is there before the first sentence is made, with its own forms and numbers", () => {
  assert.equal(german.t("Stop"), "Stoppen");
  assert.equal(german.t("not in the catalogue"), "not in the catalogue");
  assert.deepEqual([1, 2, 1000].map((n) => german.tn("%(n)s visitor", "%(n)s visitors", n)), ["1 Besucher (einer)", "2 Besucher", "1.000 Besucher"]);
  assert.equal(german.number(26.84, 1), "26,8");
});

test("what the server recorded in English is found again, its places filled in or not, sentence by sentence", () => {
  assert.equal(german.recorded("Launch it again."), "Starte es noch einmal.");
  assert.equal(german.recorded("the balancer ended by itself. exit code 137"), "der Balancer endete von selbst. exit code 137");
  assert.equal(german.recorded("Nobody knows this one."), "Nobody knows this one.");
  assert.equal(german.recorded(null), "");
});

test("a script's own sentence is no pattern for what the server said", () => {
  assert.equal(german.recorded("There is no SDK in this folder."), "There is no SDK in this folder.");
});
