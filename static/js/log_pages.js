/**
 * The lines that the filters show, by their place from the first to the last, in a log of any length. The page
 * holds a few blocks of them; the rest is fetched when somebody looks there. Pure but for `fetchBlock`.
 */

const SIZE = 200;
const HELD = 30;
/** Milliseconds until a block that could not be had, or came short, is asked for again. */
const PATIENCE = 1000;

/**
 * No lines yet. `fetchBlock(from, count)` resolves with at most `count` events from that seq on that pass;
 * `changed()` is called when a block has come.
 */
export function createPages(fetchBlock, changed) {
  return { fetchBlock, changed, total: 0, starts: [], blocks: new Map(), used: 0, last: 0, age: 0, fetching: null, problem: null, again: 0 };
}

/**
 * Begin with the events in memory that pass, all there are up to the seq `known`. `outline` says what there is
 * besides; null: nobody has told yet.
 */
export function reset(pages, events, outline = null, known = 0) {
  const { total, starts, last } = outline ?? { total: 0, starts: [], last: 0 };
  Object.assign(pages, { total, starts: [...starts], blocks: new Map(), last, age: pages.age + 1, fetching: null, problem: null, again: 0 });
  if (known >= last) keepKnown(pages, events.filter((event) => event.seq <= last));
  hear(pages, events.filter((event) => event.seq > last));
}

/** New events that pass, in order. Returns how many were not counted yet. */
export function hear(pages, events) {
  let fresh = 0;
  for (const event of events) {
    if (event.seq <= pages.last) continue;
    fresh += 1;
    pages.last = event.seq;
    if (pages.total % SIZE === 0) {
      pages.starts.push(event.seq);
      pages.blocks.set(pages.starts.length - 1, []);
    }
    const block = pages.blocks.get(pages.starts.length - 1);
    if (block && block.length === pages.total % SIZE) block.push(event);
    pages.total += 1;
  }
  drop(pages);
  return fresh;
}

/** The event at that place; undefined while it is not here. */
export function eventAt(pages, place) {
  return pages.blocks.get(Math.floor(place / SIZE))?.[place % SIZE];
}

/** Fetch what is missing of the places `from` to `to`, and then what is next to them; one block at a time. */
export function want(pages, from, to) {
  if (pages.fetching !== null || pages.total === 0 || Date.now() < pages.again) return;
  const [first, last] = [from, to - 1].map((place) => Math.floor(Math.min(pages.total - 1, Math.max(0, place)) / SIZE));
  for (let block = first; block <= last; block += 1) touch(pages, block);
  for (const block of [...range(first, last), last + 1, first - 1]) {
    if (block < 0 || block >= pages.starts.length || isWhole(pages, block)) continue;
    fetchInto(pages, block);
    return;
  }
}

/** The place of the event with that seq, or of the next one that passes; null when there is none after it. */
export async function placeOf(pages, seq) {
  const block = lastStart(pages.starts, seq);
  if (block < 0) return pages.total > 0 ? 0 : null;
  if (!isWhole(pages, block)) await fetchInto(pages, block);
  const events = pages.blocks.get(block) ?? [];
  const within = events.findIndex((event) => event.seq >= seq);
  const place = block * SIZE + (within < 0 ? events.length : within);
  return place < pages.total ? place : null;
}

/** Resolves when the places `from` to `to` are here, or cannot be had. */
export async function whole(pages, from, to) {
  const [first, last] = [from, to - 1].map((place) => Math.floor(Math.min(pages.total - 1, Math.max(0, place)) / SIZE));
  for (const block of range(first, last)) if (!isWhole(pages, block)) await fetchInto(pages, block);
}

async function fetchInto(pages, block) {
  const { age } = pages;
  pages.fetching = block;
  try {
    const events = await pages.fetchBlock(pages.starts[block], SIZE);
    if (age !== pages.age) return;
    pages.problem = null;
    pages.blocks.set(block, events.filter((event) => event.seq <= pages.last));
    pages.again = isWhole(pages, block) ? 0 : Date.now() + PATIENCE;
    touch(pages, block);
    drop(pages);
  } catch (problem) {
    if (age === pages.age) Object.assign(pages, { problem, again: Date.now() + PATIENCE });
  } finally {
    if (age === pages.age) pages.fetching = null;
  }
  pages.changed();
}

/** Blocks all of whose events are in memory need not be fetched. */
function keepKnown(pages, events) {
  const first = pages.total - events.length;
  for (let block = Math.ceil(Math.max(0, first) / SIZE); block < pages.starts.length; block += 1) {
    const from = block * SIZE - first;
    pages.blocks.set(block, events.slice(from, from + SIZE));
  }
}

function isWhole(pages, block) {
  const events = pages.blocks.get(block);
  return events !== undefined && events.length >= Math.min(SIZE, pages.total - block * SIZE);
}

function touch(pages, block) {
  const events = pages.blocks.get(block);
  if (events) events.used = pages.used += 1;
}

/** Let go of the blocks that nobody looked at for longest; the last one is where new lines come. */
function drop(pages) {
  while (pages.blocks.size > HELD) {
    const last = pages.starts.length - 1;
    const [oldest] = [...pages.blocks].filter(([block]) => block !== last).sort(([, a], [, b]) => (a.used ?? 0) - (b.used ?? 0))[0];
    pages.blocks.delete(oldest);
  }
}

/** The block whose first seq is the largest that is not after `seq`; -1 before the first. */
function lastStart(starts, seq) {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= seq) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

export const BLOCK = SIZE;
