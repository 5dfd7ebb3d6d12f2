/** The live log: a list as long as the log, of which some rows are in the document; following never fights the scroll. */
import { call } from "./api.js";
import { byId, setText } from "./dom.js";
import { fillLine, makeLine } from "./log_line.js";
import { adoptCounts, createChoices, createFilter, countIn, passes, queryOf } from "./log_filter.js";
import { clearFilters, offerFilters, renderFilters } from "./log_choices.js";
import { ALL, atBottom, atEnd, createList, drawList, drawnPlaces, forgetRows, NONE, showPlace, WAITING } from "./log_list.js";
import { BLOCK, createPages, eventAt, hear as hearPages, placeOf, reset, want, whole } from "./log_pages.js";
import { offerPlaces } from "./log_places.js";
import { t, tn } from "./text.js";
import { grouped } from "./units.js";

/** Milliseconds: nobody reads faster, and text is what costs most to lay out. */
const GAP = 250;

/** The log of this page; `page` is what live.js keeps. */
export function createLog(page, onChange) {
  const log = { page, filter: createFilter(), choices: createChoices(), following: true, paused: false, standing: Infinity, news: 0, heard: 0, selected: null, linked: null, seen: 0, asked: 0, told: null, drawn: 0, timer: null, partial: false, stale: true, onChange };
  log.pages = createPages((from, count) => fetchEvents(log, { after: from - 1, limit: count }), () => arrived(log));
  const scroll = byId("log-scroll");
  log.view = createList({ scroll, room: byId("log-room"), list: byId("log-lines"), makeRow: makeLine, fillRow: (row, place) => fillLine(row, eventAt(log.pages, place), place, log) });
  scroll.addEventListener("scroll", () => scrolled(log), { passive: true });
  scroll.addEventListener("keydown", (event) => leap(log, event));
  byId("follow").addEventListener("click", () => follow(log, !log.following || log.paused));
  byId("news").addEventListener("click", () => follow(log, true));
  byId("pause").addEventListener("click", () => pause(log, !log.paused));
  offerFilters(log, () => refilter(log));
  log.showLinked = offerPlaces(log, { goTo: (seq) => goTo(log, seq), say: (words) => say(log, words) });
  new ResizeObserver(() => draw(log, NONE)).observe(scroll);
  return log;
}

/** New events came. They wait for the next frame; while paused or reading above they are only counted. */
export function hear(log, events) {
  if (events.length === 0) return;
  const first = log.heard === 0;
  const anew = log.partial || events[0].seq !== log.heard + 1 || events.some((event) => event.kind === "workspace.reset");
  log.heard = events.at(-1).seq;
  if (anew) begin(log);
  if (first) log.showLinked();
  if (anew) return;
  countIn(log.choices, events);
  const fresh = hearPages(log.pages, passing(log, events));
  if (!log.following || log.paused) log.news += fresh;
  log.stale ||= fresh > 0;
}

/** Bring the lines up to date; called at most once a frame. */
export function renderLog(log, selected) {
  const marked = log.selected !== selected;
  log.selected = selected;
  if (marked) draw(log, ALL);
  else if (log.stale || log.pages.again > 0) drawSoon(log);
  renderFilters(log);
  const none = log.pages.total === 0;
  byId("log-empty").hidden = !none;
  if (none) setText(byId("log-empty"), log.heard === 0 ? t("Nothing has happened yet. Events appear here as they happen.") : t("No line passes the filter."));
  renderButtons(log);
}

/** Events from the server's store that pass the filter. */
export function fetchEvents(log, range) {
  const query = queryOf(log.filter);
  for (const [name, value] of Object.entries(range)) query.set(name, value);
  return call("GET", `/events?${query}`).then((answer) => answer.events);
}

/** New lines a few times a second: in a storm there would be a whole page of them with every batch. */
function drawSoon(log) {
  const wait = log.drawn + GAP - performance.now();
  if (wait <= 0) return draw(log, NONE);
  log.timer ??= setTimeout(() => {
    log.timer = null;
    log.onChange();
  }, wait);
  return undefined;
}

function draw(log, force) {
  log.drawn = performance.now();
  log.stale = false;
  if (log.following && !log.paused && pulledUp(log)) follow(log, false);
  const count = Math.min(log.pages.total, log.standing);
  const { scroll } = log.view;
  const before = scroll.scrollTop;
  drawList(log.view, count, { stick: log.following && !log.paused, force });
  log.seen += scroll.scrollTop - before; // what somebody scrolled meanwhile is still to be heard of
  want(log.pages, ...drawnPlaces(log.view));
}

/** Somebody scrolled up, and the browser has not said so yet. */
const pulledUp = ({ view, seen }) => view.scroll.scrollTop < seen - 2 && !atBottom(view);

/** A block of the past is here, or could not be had. */
function arrived(log) {
  draw(log, WAITING);
  if (log.pages.problem) log.onChange();
}

/** What the page remembers at once, and the whole past as soon as the server has told its outline. */
function begin(log) {
  if (log.partial) say(log, "");
  log.partial = false;
  log.asked += 1;
  log.told = askOutline(log, log.asked);
  startWith(log, passing(log, log.page.store.events), null, 0);
}

async function askOutline(log, asked) {
  const query = queryOf(log.filter);
  query.set("every", BLOCK);
  try {
    const outline = await call("GET", `/events/outline?${query}`);
    if (asked !== log.asked) return;
    const { events, last } = log.page.store;
    const top = log.following ? null : eventAt(log.pages, log.view.from)?.seq;
    adoptCounts(log.choices, outline.counts);
    countIn(log.choices, events.filter((event) => event.seq > outline.last));
    startWith(log, passing(log, events), outline, last);
    if (log.paused) log.standing = log.pages.total;
    if (top) showPlace(log.view, (await placeOf(log.pages, top)) ?? 0);
  } catch (problem) {
    if (asked !== log.asked) return;
    log.partial = true;
    say(log, `${problem.message} ${problem.hint} ${t("Older lines come with the next event.")}`);
  }
}

function startWith(log, events, outline, known) {
  reset(log.pages, events, outline, known);
  log.standing = Infinity;
  forgetRows(log.view);
  Object.assign(log, { stale: true, drawn: -GAP });
  log.onChange();
}

const passing = (log, events) => events.filter((event) => passes(log.filter, event));

/**
 * Somebody scrolled up: following stops at once. Back at the bottom: it goes on. The bottom means the last line,
 * though the list turns out taller than guessed once its last lines are drawn.
 */
function scrolled(log) {
  const { scrollTop } = log.view.scroll;
  if (Math.abs(scrollTop - log.seen) < 2) return;
  if (scrollTop > log.seen && atBottom(log.view)) return toEnd(log);
  const end = atEnd(log.view);
  const up = scrollTop < log.seen;
  log.seen = scrollTop;
  if (log.following && up && !end) follow(log, false);
  drawList(log.view, Math.min(log.pages.total, log.standing));
  log.seen = log.view.scroll.scrollTop;
  want(log.pages, ...drawnPlaces(log.view));
  if (!log.following && !log.paused && atEnd(log.view)) follow(log, true);
}

/** The keys End and Home: browsers scroll there by and by, and would stop where the end was when they set out. */
function leap(log, event) {
  if (event.key !== "End" && event.key !== "Home") return;
  event.preventDefault();
  if (event.key === "End") return toEnd(log);
  if (log.following) follow(log, false);
  showPlace(log.view, 0);
  log.seen = log.view.scroll.scrollTop;
  want(log.pages, ...drawnPlaces(log.view));
}

/** The last line, or the last before the pause. */
function toEnd(log) {
  if (!log.paused) return follow(log, true);
  drawList(log.view, log.standing, { stick: true });
  log.seen = log.view.scroll.scrollTop;
  want(log.pages, ...drawnPlaces(log.view));
}

/** Show the event of that number, wherever it is; filters that hide it are given up. False when it is gone. */
async function goTo(log, seq) {
  await log.told;
  let place = await find(log, seq);
  if (place === null && queryOf(log.filter).size > 0) {
    clearFilters(log);
    begin(log);
    await log.told;
    place = await find(log, seq);
  }
  if (place === null) return false;
  await whole(log.pages, place - BLOCK / 4, place + BLOCK / 4);
  log.following = false;
  log.linked = seq;
  if (log.paused) log.standing = log.pages.total;
  log.view.count = log.pages.total;
  showPlace(log.view, place);
  draw(log, ALL);
  log.onChange();
  log.seen = log.view.scroll.scrollTop;
  return true;
}

async function find(log, seq) {
  const place = await placeOf(log.pages, seq);
  return place !== null && eventAt(log.pages, place)?.seq === seq ? place : null;
}

function follow(log, on) {
  log.following = on;
  if (on) {
    if (log.paused) pause(log, false);
    log.news = 0;
    log.linked = null;
    draw(log, ALL);
  }
  log.onChange();
}

/** Paused: the lines stand still wherever one looks, and go on from there. */
function pause(log, on) {
  log.paused = on;
  log.standing = on ? log.pages.total : Infinity;
  if (!on && log.following) log.news = 0;
  log.stale = true;
  log.onChange();
}

function refilter(log) {
  log.news = 0;
  log.linked = null;
  log.following = !log.paused;
  say(log, "");
  begin(log);
}

/** One sentence for who asked for something, beside the count; screen readers hear it. */
function say(log, words) {
  setText(byId("log-said"), words);
  log.onChange();
}

function renderButtons(log) {
  byId("follow").setAttribute("aria-pressed", String(log.following && !log.paused));
  byId("pause").setAttribute("aria-pressed", String(log.paused));
  setText(byId("pause").querySelector("span"), log.paused ? t("Paused") : t("Pause"));
  const news = byId("news");
  news.hidden = log.news === 0;
  setText(news, t("%(n)s new, follow", { n: grouped(log.news) }));
  const all = [...log.choices.shapes.values()].reduce((sum, number) => sum + number, 0);
  const shown = queryOf(log.filter).size > 0 ? t("%(count)s of %(total)s", { count: grouped(log.pages.total), total: grouped(all) }) : grouped(all);
  setText(byId("log-count"), log.pages.problem ? `${log.pages.problem.message} ${log.pages.problem.hint}` : tn("%(n)s line", "%(n)s lines", all, { n: shown }));
}
