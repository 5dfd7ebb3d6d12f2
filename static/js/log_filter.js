/** Which lines of the log are shown, and what there is to choose from. Pure. */
import { shapeOf } from "./kinds.js";
import { numberOf } from "./store.js";

/** Nothing is held back: empty sets mean all. */
export function createFilter() {
  return { shapes: new Set(), sources: new Set(), kind: "", words: [] };
}

/** True when the event is to be shown. */
export function passes(filter, event) {
  if (filter.kind && event.kind !== filter.kind) return false;
  if (filter.sources.size > 0 && !filter.sources.has(event.source)) return false;
  if (filter.shapes.size > 0 && !filter.shapes.has(shapeOf(event))) return false;
  if (filter.words.length === 0) return true;
  const text = `${event.source} ${event.kind} ${event.text} ${event.data?.visitor ?? ""}`.toLowerCase();
  return filter.words.every((word) => word.test(text));
}

/** Search words: every one must occur; `visitor-7` does not find visitor-70. */
export function wordsOf(text) {
  return text.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const plain = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(/\d$/.test(word) ? `${plain}(?!\\d)` : plain);
  });
}

/** How often each shape, source and kind occurs; kept up to date by `countIn`. */
export function createChoices() {
  return { shapes: new Map(), sources: new Map(), kinds: new Map() };
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
