/** Which lines of the log are shown, and what there is to choose from. Pure. */
import { shapeOf } from "./kinds.js";
import { numberOf } from "./store.js";

const MOST_WORDS = 10;

/** Nothing is held back: empty sets mean all. */
export function createFilter() {
  return { shapes: new Set(), sources: new Set(), kind: "", visitor: "", text: "", words: [] };
}

/** True when the event is to be shown. The server says the same of `queryOf` (services/events/search.py). */
export function passes(filter, event) {
  if (filter.kind && event.kind !== filter.kind) return false;
  if (filter.sources.size > 0 && !filter.sources.has(event.source)) return false;
  if (filter.shapes.size > 0 && !filter.shapes.has(shapeOf(event))) return false;
  if (filter.visitor && event.data?.visitor !== filter.visitor) return false;
  if (filter.words.length === 0) return true;
  const { visitor = "", connection = "", circuit = "" } = event.data ?? {};
  const text = small(`${event.source} ${event.kind} ${event.text} ${visitor} ${connection} ${circuit}`);
  return filter.words.every((word) => word.test(text));
}

/** The same filter as the API takes it; empty when nothing is held back. */
export function queryOf(filter) {
  const query = new URLSearchParams();
  if (filter.shapes.size > 0) query.set("outcome", [...filter.shapes].join());
  if (filter.sources.size > 0) query.set("source", [...filter.sources].join());
  for (const [name, value] of [["kind", filter.kind], ["visitor", filter.visitor], ["q", filter.text.trim()]]) if (value) query.set(name, value);
  return query;
}

/** Look for the words of that text. */
export function lookFor(filter, text) {
  filter.text = text.slice(0, 200);
  filter.words = wordsOf(filter.text);
}

/** Search words: every one must occur; `visitor-7` does not find visitor-70. */
export function wordsOf(text) {
  return [...new Set(small(text).split(/\s+/).filter(Boolean))].slice(0, MOST_WORDS).map((word) => {
    const plain = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(/[0-9]$/.test(word) ? `${plain}(?![0-9])` : plain);
  });
}

/** Only A to Z, as the database does it. */
const small = (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** How often each shape, source and kind occurs; kept up to date by `countIn`. */
export function createChoices() {
  return { shapes: new Map(), sources: new Map(), kinds: new Map() };
}

/** Begin with the server's counts of the whole log. */
export function adoptCounts(choices, { outcome, source, kind }) {
  for (const [map, counts] of [[choices.shapes, outcome], [choices.sources, source], [choices.kinds, kind]]) {
    map.clear();
    for (const [key, number] of Object.entries(counts)) map.set(key, number);
  }
}

export function countIn(choices, events) {
  for (const event of events) {
    for (const [map, key] of [[choices.shapes, shapeOf(event)], [choices.sources, event.source], [choices.kinds, event.kind]]) {
      map.set(key, (map.get(key) ?? 0) + 1);
    }
  }
}

/** Replicas by number, then the others by name. */
export function inOrder(sources) {
  const rank = (name) => (name.startsWith("replica-") ? numberOf(name) : 1000);
  return [...sources].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
