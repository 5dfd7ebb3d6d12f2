/** A measured cell played again: its own store, fed from the log in its own time. The live state is not touched. */
import { call } from "./api.js";
import { byId, setText } from "./dom.js";
import { cellWords } from "./runs_words.js";
import { createStore, takeEvents, takeSnapshot } from "./store.js";
import { count, createTally } from "./tally.js";
import { t } from "./text.js";
import { clockSeconds } from "./units.js";

const PAGE = 2000;
const LONGEST_FRAME = 100;
const BETWEEN_CELLS = 1200;

/** `hear(events)` gets what is played, `changed()` is called when something is to be drawn. */
export function createReplay({ hear, changed }) {
  const replay = { run: null, place: 0, store: null, tally: null, events: [], times: [], next: 0, at: 0, speed: 1, paused: false, asked: 0, hear, changed };
  byId("replay-pause").addEventListener("click", () => pause(replay, !replay.paused));
  byId("replay-before").addEventListener("click", () => step(replay, -1));
  byId("replay-next").addEventListener("click", () => step(replay, 1));
  byId("replay-speed").addEventListener("change", ({ target }) => (replay.speed = Number(target.value)));
  byId("replay-close").addEventListener("click", () => close(replay));
  return replay;
}

/** What the picture shows instead of the lab as it is now; null when nothing is replayed. */
export function replayed({ store, tally, run }) {
  return store ? { state: store.state, events: store.events, tally, label: t("Replay of run %(run)s", { run: run.id }) } : null;
}

/** Play a cell of the run from its beginning; rejects with the API's problem. */
export async function play(replay, run, place) {
  const asked = (replay.asked += 1);
  const begin = await call("GET", `/runs/${run.id}/replay?cell=${place}`);
  const events = await eventsOf(begin);
  if (asked !== replay.asked) return;
  Object.assign(replay, { run, place, events, next: 0, at: 0, tally: createTally(), store: createStore(), times: timesOf(events) });
  takeSnapshot(replay.store, { ...begin.state, seq: begin.first_seq - 1 }, []);
  pause(replay, false);
  byId("replay").hidden = false;
  replay.changed();
  const running = { asked, last: performance.now() };
  requestAnimationFrame((now) => frame(replay, running, now));
}

/** The cell before or after; when it cannot be had, the replay stands still. */
function step(replay, by) {
  play(replay, replay.run, replay.place + by).catch(() => pause(replay, true));
}

/** Back to the lab as it is now. */
export function close(replay) {
  replay.asked += 1;
  replay.store = null;
  byId("replay").hidden = true;
  replay.changed();
}

/** The bar over the picture. */
export function renderReplay({ store, run, place, at, times, next, events }) {
  if (!store) return;
  const { cells } = run;
  const ended = next >= events.length;
  setText(byId("replay-what"), t("Replay of run %(run)s, recorded at %(time)s.", { run: run.id, time: clockSeconds(run.asked_at) }));
  setText(byId("replay-cell"), `${t("Cell %(number)s of %(total)s: %(cell)s", { number: place + 1, total: cells.length, cell: cellWords(cells[place], run.labels) })}${ended ? ` ${t("(end)")}` : ""}`);
  byId("replay-before").disabled = place === 0;
  byId("replay-next").disabled = place >= cells.length - 1;
  byId("replay-done").value = ended ? 1 : at / (times.at(-1) || 1);
}

/** Milliseconds from the first event on; a line that was told late does not turn time back. */
export function timesOf(events) {
  const begin = Date.parse(events[0]?.at);
  let latest = 0;
  return events.map((event) => (latest = Math.max(latest, Date.parse(event.at) - begin)));
}

async function eventsOf({ first_seq: first, last_seq: last }) {
  const found = [];
  for (let after = first - 1; after < last; after = found.at(-1).seq) {
    const page = await call("GET", `/events?after=${after}&limit=${PAGE}`);
    if (page.events.length === 0) break;
    found.push(...page.events.filter((event) => event.seq <= last));
    if (page.events.at(-1).seq >= last) break;
  }
  return found;
}

/** Time goes on only while frames are drawn: off-screen it stands still. */
function frame(replay, running, now) {
  if (running.asked !== replay.asked) return;
  const passed = Math.min(LONGEST_FRAME, now - running.last);
  running.last = now;
  if (!replay.paused) advance(replay, passed);
  if (replay.at > (replay.times.at(-1) ?? 0) + BETWEEN_CELLS * replay.speed && replay.place < replay.run.cells.length - 1) {
    step(replay, 1);
    return;
  }
  requestAnimationFrame((later) => frame(replay, running, later));
}

function advance(replay, passed) {
  replay.at += passed * replay.speed;
  const from = replay.next;
  while (replay.next < replay.events.length && replay.times[replay.next] <= replay.at) replay.next += 1;
  const due = replay.events.slice(from, replay.next);
  takeEvents(replay.store, due);
  count(replay.tally, due);
  if (due.length > 0) replay.hear(due);
  replay.changed();
}

function pause(replay, paused) {
  replay.paused = paused;
  byId("replay-pause").setAttribute("aria-pressed", String(paused));
  setText(byId("replay-pause").querySelector("span"), paused ? t("Go on") : t("Pause"));
}
