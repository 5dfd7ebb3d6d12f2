/**
 * A list of any length in the document: some rows that are used again and again, moved to where one looks.
 * Rows may have any height; the one at the top of the view stays where it is whatever changes around it.
 */

const ROWS = 60;
const MIDDLE = Math.floor(ROWS / 3);
/** Who follows sees the last lines only, and they change several times a second: fewer rows are laid out then. */
const LAST = 16;
const GUESS = 56;
/** So many rows are moved at once; fewer would be work at every tick of the wheel. */
const STEP = 10;
/** Browsers draw no element taller than some 33 million pixels, Firefox none taller than 17. */
const TALLEST = 12e6;

/** Which rows are filled again: none, all, or those whose content was on its way. */
export const NONE = () => false;
export const ALL = () => true;
export const WAITING = (row) => row.ariaBusy === "true";

/**
 * `scroll` is the element that scrolls, `room` the one inside it that is as tall as the whole list, `list` the
 * one in there that has the rows. `makeRow()` makes one, `fillRow(row, place)` gives it the content of a place.
 */
export function createList({ scroll, room, list, makeRow, fillRow }) {
  return { scroll, room, list, fillRow, rows: Array.from({ length: ROWS }, makeRow), count: 0, from: 0, drawn: 0, top: 0, guess: GUESS, fresh: true, bottom: 0 };
}

/** Draw `count` rows. `stick` keeps the end in view; `force(row)` says which rows are filled again although they stay. */
export function drawList(view, count, { stick = false, force = NONE } = {}) {
  const grown = count !== view.count;
  view.count = count;
  if (stick) return toEnd(view, force);
  const { scroll } = view;
  if (view.drawn === 0 || count < view.from + view.drawn) return place(view, Math.floor(scroll.scrollTop / height(view)), scroll.scrollTop, force);
  const [row, inside] = rowAt(view, scroll.scrollTop);
  if (row === null) return place(view, Math.floor(scroll.scrollTop / height(view)), scroll.scrollTop, force);
  const from = fitting(view, row);
  const all = view.drawn === Math.min(ROWS, count);
  const near = all && Math.abs(from - view.from) < STEP && from !== 0 && from !== count - ROWS;
  if ((near || (all && from === view.from)) && force === NONE && !grown) return undefined;
  return place(view, row, scroll.scrollTop - inside, force, near ? view.from : from);
}

/** The content is another one: nothing that was measured holds. */
export function forgetRows(view) {
  Object.assign(view, { drawn: 0, count: 0, fresh: true });
}

/** Bring the row of that place into view, a third of the way down. */
export function showPlace(view, at) {
  const y = at * height(view);
  const room = view.scroll.clientHeight / 3;
  place(view, at, y, ALL);
  view.scroll.scrollTop = view.top + offsetOf(view, at) - room;
  drawList(view, view.count);
}

/** True when the last row is drawn and in view. */
export function atEnd(view) {
  const { scrollTop, clientHeight } = view.scroll;
  return view.from + view.drawn >= view.count && view.top + view.list.offsetHeight - scrollTop - clientHeight < 24;
}

/** True when there is nothing further down to scroll to, whatever is drawn. */
export function atBottom({ scroll }) {
  return scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 1;
}

/** The places that are drawn, for who has to fetch them. */
export const drawnPlaces = (view) => [view.from, view.from + view.drawn];

function toEnd(view, force) {
  const drawn = Math.min(view.count, ROWS, Math.max(LAST, Math.ceil(view.scroll.clientHeight / 40) + 4));
  arrange(view, view.count - drawn, force, drawn);
  moveTo(view, view.from * height(view));
  finish(view);
  view.scroll.scrollTop = view.room.offsetHeight;
  view.bottom = view.scroll.scrollTop;
}

/** Draw around one row so that its top is at `y`. */
function place(view, row, y, force, from = fitting(view, row)) {
  arrange(view, from, force);
  if (view.drawn === 0) return finish(view);
  const known = Math.min(Math.max(row, view.from), view.from + view.drawn - 1);
  moveTo(view, y - offsetOf(view, known));
  finish(view);
}

/** The first place to draw when one looks at `row`. */
function fitting(view, row) {
  return Math.max(0, Math.min(view.count - ROWS, row - MIDDLE));
}

/** Rows keep the content of their place; a row that leaves at one end is used again at the other. */
function arrange(view, from, force, drawn = Math.min(ROWS, view.count)) {
  const { list, rows, fillRow } = view;
  const [oldFrom, oldEnd, end] = [view.from, view.from + view.drawn, from + drawn];
  for (let at = oldFrom; at < oldEnd; at += 1) {
    if ((at < from || at >= end) && rows[at % ROWS].contains(document.activeElement)) view.scroll.focus({ preventScroll: true });
  }
  const order = [];
  for (let at = from; at < end; at += 1) {
    const row = rows[at % ROWS];
    if (at < oldFrom || at >= oldEnd || force(row)) fillRow(row, at);
    order.push(row);
  }
  Object.assign(view, { from, drawn });
  reorder(list, order);
  if (!view.fresh || drawn === 0) return;
  view.guess = Math.max(20, Math.round(list.offsetHeight / drawn));
  view.fresh = false;
}

/** Put the rows in order with as few moves as it takes: those that stay are not touched. */
function reorder(list, order) {
  const wanted = new Set(order);
  for (const row of [...list.children]) if (!wanted.has(row)) row.remove();
  let next = null;
  for (let i = order.length - 1; i >= 0; i -= 1) {
    if (order[i].nextSibling !== next || order[i].parentNode !== list) list.insertBefore(order[i], next);
    next = order[i];
  }
}

/** At the ends the guess is replaced by what is: nothing above the first row, nothing below the last. */
function finish(view) {
  const { scroll, room, list } = view;
  const off = view.from === 0 ? view.top : view.top < scroll.clientHeight ? view.top - view.from * height(view) : 0;
  const before = scroll.scrollTop;
  if (off !== 0) moveTo(view, view.top - off);
  const rest = view.count - view.from - view.drawn;
  const tall = `${Math.ceil(view.top + list.offsetHeight + rest * height(view))}px`;
  if (room.style.height !== tall) room.style.height = tall;
  if (off !== 0 && Math.abs(off) > 0.5) scroll.scrollTop = before - off;
}

function moveTo(view, top) {
  if (view.top === top && view.list.style.transform) return;
  view.top = top;
  view.list.style.transform = `translateY(${top}px)`;
}

/** The row at that height and where its top is above it; null when none is drawn there. */
function rowAt(view, y) {
  const at = y - view.top;
  if (view.drawn === 0 || at < 0 || at >= view.list.offsetHeight) return [null, 0];
  let [low, high] = [view.from, view.from + view.drawn - 1];
  while (low < high) {
    const half = (low + high + 1) >> 1;
    if (offsetOf(view, half) <= at) low = half;
    else high = half - 1;
  }
  return [low, at - offsetOf(view, low)];
}

const offsetOf = (view, at) => view.rows[at % ROWS].offsetTop;
const height = (view) => Math.min(view.guess, Math.floor(TALLEST / Math.max(1, view.count)) || 1);
