import assert from "node:assert/strict";
import { test } from "node:test";
import { adoptCounts, createChoices, createFilter, lookFor, passes, queryOf } from "../../static/js/log_filter.js";
import { BLOCK, createPages, eventAt, hear, placeOf, reset, want, whole } from "../../static/js/log_pages.js";
import { momentOf } from "../../static/js/units.js";

const event = (seq) => ({ seq });
const upTo = (from, to, step = 1) => Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => event(from + i * step));

/** A server with these events, asked as the API is; `asked` has the first seq of every request. */
function server(events) {
  const asked = [];
  const pages = createPages(async (from, count) => {
    asked.push(from);
    return events.filter(({ seq }) => seq >= from).slice(0, count);
  }, () => {});
  const outline = () => ({ total: events.length, last: events.at(-1).seq, starts: events.filter((_, i) => i % BLOCK === 0).map(({ seq }) => seq) });
  return { pages, asked, outline };
}

test("a place far in the past is fetched once, and only its block", async () => {
  const { pages, asked, outline } = server(upTo(11, 100_010));
  reset(pages, upTo(99_511, 100_010), outline(), 100_010);
  assert.equal(pages.total, 100_000);
  assert.equal(eventAt(pages, 99_999).seq, 100_010);
  assert.equal(eventAt(pages, 50_000), undefined);
  await whole(pages, 50_000, 50_080);
  await whole(pages, 50_000, 50_080);
  assert.equal(eventAt(pages, 50_079).seq, 50_090);
  assert.deepEqual(asked, [50_011]);
});

test("memory stays bounded however far somebody scrolls, and what was let go is fetched again", async () => {
  const { pages, asked, outline } = server(upTo(1, 100_000));
  reset(pages, [], outline(), 100_000);
  for (let place = 0; place < 100_000; place += 500) await whole(pages, place, place + 80);
  assert.ok(pages.blocks.size <= 30);
  const before = asked.length;
  await whole(pages, 0, 80);
  assert.equal(asked.length, before + 1);
  assert.equal(eventAt(pages, 0).seq, 1);
});

test("while a block is on its way no other is asked for; then the neighbours are", async () => {
  const { pages, asked, outline } = server(upTo(1, 10_000));
  reset(pages, [], outline(), 10_000);
  want(pages, 5000, 5080);
  want(pages, 1000, 1080);
  assert.deepEqual(asked, [5001]);
  await new Promise((done) => setImmediate(done));
  for (let i = 0; i < 4; i += 1) {
    want(pages, 5000, 5080);
    await new Promise((done) => setImmediate(done));
  }
  assert.deepEqual(asked, [5001, 5201, 4801]);
});

test("a server that is away, or has less than it said, is asked again later and not at once", async () => {
  for (const fails of [true, false]) {
    let asked = 0;
    const pages = createPages(async () => {
      asked += 1;
      if (fails) throw new Error("away");
      return [];
    }, () => want(pages, 0, 80));
    reset(pages, [], { total: 500, last: 500, starts: [1, 201, 401] }, 500);
    want(pages, 0, 80);
    for (let i = 0; i < 20; i += 1) await new Promise((done) => setImmediate(done));
    assert.equal(asked, 1);
    assert.ok(pages.again > 0);
    assert.equal(pages.problem !== null, fails);
  }
});

test("new lines go on where the outline ended, each counted once, also across a block's end", async () => {
  const past = upTo(1, 950);
  const { pages, outline } = server(past);
  reset(pages, upTo(451, 950), outline(), 950);
  past.push(...upTo(951, 1300));
  assert.equal(hear(pages, upTo(940, 1300)), 350);
  assert.equal(pages.total, 1300);
  await whole(pages, 0, 1300);
  assert.deepEqual(upTo(1, 1300).map((_, place) => eventAt(pages, place).seq), past.map(({ seq }) => seq));
});

test("an outline that is newer than what the page has heard makes neither a hole nor a double", async () => {
  const past = upTo(1, 1000);
  const { pages, outline } = server(past);
  reset(pages, upTo(501, 980), outline(), 980);
  hear(pages, upTo(981, 1005));
  past.push(...upTo(1001, 1005));
  assert.equal(pages.total, 1005);
  await whole(pages, 0, 1005);
  assert.deepEqual(past.map((_, place) => eventAt(pages, place).seq), past.map(({ seq }) => seq));
});

test("an event is found by its number, among the lines that pass the filter too", async () => {
  const { pages, outline } = server(upTo(3, 9003, 3));
  reset(pages, [], outline(), 9003);
  assert.equal(await placeOf(pages, 6003), 2000);
  assert.equal(await placeOf(pages, 6002), 2000);
  assert.equal(await placeOf(pages, 1), 0);
  assert.equal(await placeOf(pages, 9004), null);
});

test("a filter says the same to the page and to the server", () => {
  const filter = createFilter();
  assert.equal(queryOf(filter).size, 0);
  lookFor(filter, " Memory visitor-7 ");
  filter.shapes.add("refused").add("warn");
  filter.sources.add("replica-1");
  filter.visitor = "visitor-7";
  filter.kind = "connection.refused";
  assert.equal(String(queryOf(filter)), "outcome=refused%2Cwarn&source=replica-1&kind=connection.refused&visitor=visitor-7&q=Memory+visitor-7");
  const line = { source: "replica-1", kind: "connection.refused", level: "warning", text: "its MEMORY is elsewhere", data: { visitor: "visitor-7", connection: "Wabc" } };
  assert.equal(passes(filter, line), true);
  assert.equal(passes(filter, { ...line, data: { visitor: "visitor-70" } }), false);
  assert.equal(passes(filter, { ...line, source: "replica-2" }), false);
  lookFor(filter, "wABC");
  assert.equal(passes(filter, line), true);
});

test("the counts are those of the whole log, not of what the page remembers", () => {
  const choices = createChoices();
  adoptCounts(choices, { outcome: { ok: 90 }, source: { "replica-1": 90 }, kind: { "circuit.resumed": 90 } });
  assert.equal(choices.shapes.get("ok"), 90);
});

test("a time of day is the last such moment before the newest event", () => {
  const newest = new Date(2026, 10, 22, 20, 1, 30).toISOString();
  assert.equal(momentOf("20:01:04", newest), new Date(2026, 10, 22, 20, 1, 4).toISOString());
  assert.equal(momentOf("20:02", newest), new Date(2026, 10, 21, 20, 2, 0).toISOString());
});
