/** What the charts show, counted from events as they come: who was refused, who came back, how fast. Pure. */
import { number, t } from "./text.js";

/** Seconds that the charts look back, and seconds that one bar is wide. */
export const SPAN = 180;
export const STEP = 5;
const MOST_AWAY = 3000;
const MOST_TIMES = 4000;
const NOTED = { "fault.drop_asked": t("drop"), "replica.killed": t("kill"), "replica.died": t("died"), "replica.frozen": t("freeze"), "replica.thawed": t("thaw"), "replica.restarting": t("restart"), "replica.draining": t("drain"), "balancer.restarting": t("balancer restart") };

/** The kinds of events that the charts are made of. */
export const KINDS = [
  "connection.refused", "request.failed", "connection.opened", "connection.closed", "circuit.started", "circuit.resumed", "visitor.connected",
  "visitor.reconnecting", "visitor.left", "affinity.changed", "endpoints.changed", "replica.starting", "replica.started", "replica.stopped", ...Object.keys(NOTED),
];

/** Nothing has happened. */
export function createCounts() {
  return { seq: 0, begun: null, bars: { refused: new Map(), lost: new Map(), kept: new Map() }, times: [], away: new Map(), modes: [], marks: [], live: new Map() };
}

/** Count on; events come in order, and one that was counted is not counted again. */
export function count(counts, events) {
  for (const event of events) {
    if (event.seq <= counts.seq) continue;
    counts.seq = event.seq;
    const at = Date.parse(event.at) / 1000;
    counts.begun ??= at;
    countOne(counts, event, at);
  }
  if (events.length > 0) forget(counts, Date.parse(events.at(-1).at) / 1000);
}

/**
 * What to draw at `now` (seconds): `from`, `to`, `xs` (where each bar begins), `bars` by outcome, `times`
 * [[at, seconds]], `bands` [{from, to, mode}], `marks` [{at, words}], and `live` by replica, one number a bar.
 */
export function look(counts, now, replicas = {}) {
  const to = (Math.floor(now / STEP) + 1) * STEP;
  const from = to - SPAN;
  const xs = Array.from({ length: SPAN / STEP }, (_, i) => from + i * STEP);
  const bars = Object.fromEntries(Object.entries(counts.bars).map(([name, numbers]) => [name, xs.map((x) => numbers.get(x) ?? 0)]));
  return {
    from, to, xs, bars,
    times: counts.times.filter(([at]) => at >= from).sort((a, b) => a[0] - b[0]),
    bands: bandsOf(counts, from, to),
    marks: counts.marks.filter(({ at }) => at >= from),
    live: Object.fromEntries(Object.keys(replicas).map((name) => [name, liveOf(counts.live.get(name), xs, replicas[name].connections ?? 0)])),
  };
}

/** One dot where many would cover each other: a storm has thousands, and a small chart has room for some hundred. */
export function thinned(times) {
  const most = Math.max(1, ...times.map(([, seconds]) => seconds));
  const taken = new Set();
  return times.filter(([at, seconds]) => {
    const cell = `${Math.floor(at / 2)} ${Math.round((seconds / most) * 25)}`;
    return !taken.has(cell) && taken.add(cell);
  });
}

/** One sentence of the same facts, for who cannot see the charts. */
export function sentenceOf(seen) {
  const [refused, lost, kept] = ["refused", "lost", "kept"].map((name) => sum(seen.bars[name]));
  const times = seen.times.map(([, seconds]) => seconds);
  const recovered = times.length > 0 && t("To recover took %(middle)s seconds in the middle and %(most)s at most.", { middle: number(median(times), 1), most: number(Math.max(...times), 1) });
  const live = Object.entries(seen.live).map(([name, numbers]) => `${name} ${numbers.at(-1) ?? 0}`);
  const faults = seen.marks.map(({ at, words }) => t("%(fault)s at %(time)s", { fault: words, time: new Date(at * 1000).toTimeString().slice(0, 8) }));
  const texts = [
    t("In the last three minutes: %(refused)s requests refused, %(lost)s visitors back without their memory, %(kept)s back with it.", { refused, lost, kept }),
    recovered,
    live.length > 0 && t("Connections now: %(live)s.", { live: live.join(", ") }),
    faults.length > 0 && t("Faults: %(faults)s.", { faults: faults.join(", ") }),
  ];
  return texts.filter(Boolean).join(" ");
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

function countOne(counts, event, at) {
  const { kind, data = {}, patch, source } = event;
  if (kind === "connection.refused" || kind === "request.failed") add(counts.bars.refused, at);
  if (kind === "visitor.reconnecting" || wasCut(event)) goAway(counts, data.visitor, at);
  if (kind === "visitor.left") counts.away.delete(data.visitor);
  const memory = memoryOf(event);
  if (memory !== null) comeBack(counts, data.visitor, memory, at);
  if (NOTED[kind]) counts.marks.push({ at, words: `${NOTED[kind]}${/^replica-/.test(source) ? ` ${source}` : ""}` });
  const mode = patch?.balancer?.affinity?.mode;
  if (mode && counts.modes.at(-1)?.mode !== mode) counts.modes.push({ at, mode });
  noteLive(counts, patch?.replicas ?? {}, at);
}

/** A connection to a memory ended, and not because the visitor wanted it. */
const wasCut = ({ kind, data }) => kind === "connection.closed" && Boolean(data?.circuit) && data.reason !== "client";

/** How somebody came back: the crowd says it itself, of a real browser its replica does. */
function memoryOf({ kind, data, patch }) {
  const visitor = data?.visitor ?? "";
  if (kind === "visitor.connected") return data.memory ?? "new";
  if (visitor.startsWith("visitor-")) return null;
  if (kind === "circuit.resumed") return "kept";
  return kind === "circuit.started" ? (patch?.people?.[visitor]?.memory ?? "new") : null;
}

function goAway(counts, visitor, at) {
  if (!visitor || counts.away.has(visitor)) return;
  counts.away.set(visitor, at);
  if (counts.away.size > MOST_AWAY) counts.away.delete(counts.away.keys().next().value);
}

function comeBack(counts, visitor, memory, at) {
  if (memory === "kept" || memory === "lost") add(counts.bars[memory], at);
  const gone = counts.away.get(visitor);
  counts.away.delete(visitor);
  if (gone !== undefined && memory !== "new") counts.times.push([at, Math.max(0, at - gone)]);
}

function noteLive(counts, replicas, at) {
  for (const [name, change] of Object.entries(replicas)) {
    const number = change === null || ["starting", "stopped", "failed"].includes(change.phase) ? 0 : change.connections;
    if (!Number.isInteger(number)) continue;
    if (!counts.live.has(name)) counts.live.set(name, new Map());
    counts.live.get(name).set(barOf(at), number);
  }
}

function add(numbers, at) {
  numbers.set(barOf(at), (numbers.get(barOf(at)) ?? 0) + 1);
}

const barOf = (at) => Math.floor(at / STEP) * STEP;

/** What nobody will look at any more. Of what holds on, the last before it stays: a mode, a number of connections. */
function forget(counts, now) {
  const oldest = barOf(now) - SPAN;
  for (const numbers of Object.values(counts.bars)) for (const x of numbers.keys()) if (x < oldest) numbers.delete(x);
  if (counts.times.length > MOST_TIMES || (counts.times[0]?.[0] ?? oldest) < oldest) counts.times = counts.times.filter(([at]) => at >= oldest).slice(-MOST_TIMES);
  counts.marks = counts.marks.filter(({ at }) => at >= oldest).slice(-50);
  while (counts.modes.length > 1 && (counts.modes[1].at < oldest || counts.modes.length > 100)) counts.modes.shift();
  for (const [name, numbers] of counts.live) {
    const old = [...numbers.keys()].filter((x) => x < oldest);
    for (const x of old.slice(0, -1)) numbers.delete(x);
    if (old.length > 0 && numbers.size === 1 && numbers.get(old.at(-1)) === 0) counts.live.delete(name);
  }
}

function bandsOf({ modes }, from, to) {
  const bands = modes.map(({ at, mode }, i) => ({ from: Math.max(from, at), to: Math.min(to, modes[i + 1]?.at ?? to), mode }));
  return bands.filter((band) => band.to > band.from);
}

/** The number at the end of each bar; before the first that is known, nothing is. The last is what is now. */
function liveOf(numbers, xs, now) {
  if (!numbers) return xs.map(() => now);
  const known = [...numbers].sort(([a], [b]) => a - b);
  let [next, value] = [0, null];
  const found = xs.map((x) => {
    while (next < known.length && known[next][0] <= x) value = known[next++][1];
    return value;
  });
  found[found.length - 1] = now;
  return found;
}
