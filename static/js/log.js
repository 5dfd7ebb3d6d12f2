/** The live log: newest at the bottom, a bounded window of lines, following that never fights the scroll. */
import { call } from "./api.js";
import { byId, setText } from "./dom.js";
import { makeLine, markSelected } from "./log_line.js";
import { createChoices, createFilter, countIn, passes } from "./log_filter.js";
import { offerFilters, renderFilters } from "./log_choices.js";
import { KEPT, takeOlder, trim } from "./store.js";
import { grouped } from "./units.js";

const DRAWN = 300;
const STEP = 150;
const PAGE = 500;
const KEPT_READING = 20_000;
const NEAR = 48;

/** The log of this page; `page` is what live.js keeps. */
export function createLog(page, onChange) {
  const log = { page, list: byId("log-lines"), scroll: byId("log-scroll"), filter: createFilter(), choices: createChoices(), following: true, paused: false, news: 0, bottom: 0, from: 0, to: 0, loading: false, begun: false, selected: null, stale: true, onChange };
  log.scroll.addEventListener("scroll", () => scrolled(log), { passive: true });
  byId("follow").addEventListener("click", () => follow(log, !log.following));
  byId("news").addEventListener("click", () => follow(log, true));
  byId("pause").addEventListener("click", () => pause(log, !log.paused));
  offerFilters(log, () => refilter(log));
  new ResizeObserver(() => log.following && toBottom(log)).observe(log.scroll);
  return log;
}

/** New events came. They wait for the next frame; while paused or reading above they are only counted. */
export function hear(log, events) {
  countIn(log.choices, events);
  if (!log.following || log.paused) log.news += events.reduce((sum, event) => sum + (passes(log.filter, event) ? 1 : 0), 0);
}

/** Bring the lines up to date; called at most once a frame. */
export function renderLog(log, selected) {
  const { events } = log.page.store;
  if (events.length > 0 && (events.at(-1).seq < log.to || events[0].seq > log.to + 1)) log.stale = !log.paused && log.following;
  if (log.stale || (!log.paused && log.following && events.length > 0 && log.to < events.at(-1).seq)) append(log);
  log.stale = false;
  if (log.selected !== selected) markSelected(log.list, (log.selected = selected));
  renderFilters(log);
  setText(byId("log-empty"), emptyWords(log));
  byId("log-empty").hidden = log.list.childElementCount > 0;
  renderButtons(log);
}

/** The lines of the newest events that pass, at most DRAWN in the document. */
function append(log) {
  const { events } = log.page.store;
  if (log.stale) log.to = 0;
  const fresh = lastPassing(log, events, (event) => event.seq > log.to, DRAWN);
  if (log.stale || fresh.length >= DRAWN) log.list.replaceChildren();
  log.list.append(...fresh.map((event) => makeLine(event, log.selected)));
  while (log.list.childElementCount > DRAWN) log.list.firstElementChild.remove();
  log.to = events.at(-1)?.seq ?? 0;
  log.from = Number(log.list.firstElementChild?.dataset.seq ?? 0);
  if (log.following) toBottom(log);
}

function lastPassing(log, events, inRange, most) {
  const found = [];
  for (let i = events.length - 1; i >= 0 && found.length < most && inRange(events[i]); i -= 1) {
    if (passes(log.filter, events[i])) found.push(events[i]);
  }
  return found.reverse();
}

/** Somebody scrolled up: following stops at once. Back at the bottom: it goes on. */
function scrolled(log) {
  const { scrollTop, scrollHeight, clientHeight } = log.scroll;
  const atBottom = scrollHeight - scrollTop - clientHeight < 24;
  if (log.following && !atBottom && scrollTop < log.bottom - 2) follow(log, false);
  else if (!log.following && atBottom && !log.paused && !later(log)) follow(log, true);
  if (scrollTop < NEAR) earlier(log);
}

/** Draw lines from before the first one, keeping the reader's place; from memory, then from the server. */
async function earlier(log) {
  if (log.loading || log.list.childElementCount === 0) return;
  const { events } = log.page.store;
  const index = events.findIndex((event) => event.seq >= log.from);
  const before = lastPassing(log, events.slice(0, Math.max(0, index)), () => true, STEP);
  if (before.length > 0) return prepend(log, before);
  if (log.begun || (events[0]?.seq ?? 1) <= 1) return renderOlder(log, "This is where the log begins.");
  await loadOlder(log);
}

function prepend(log, events) {
  const height = log.scroll.scrollHeight;
  log.list.prepend(...events.map((event) => makeLine(event, log.selected)));
  log.from = events[0].seq;
  log.scroll.scrollTop += log.scroll.scrollHeight - height;
  let cut = false;
  while (log.list.childElementCount > DRAWN + STEP) {
    log.list.lastElementChild.remove();
    cut = true;
  }
  if (cut) log.to = Number(log.list.lastElementChild.dataset.seq);
}

/** Lines below the last one that scrolling down brings back; true when there were any. */
function later(log) {
  const { events } = log.page.store;
  const after = [];
  for (const event of events) {
    if (event.seq > log.to && passes(log.filter, event)) after.push(event);
    if (after.length === STEP) break;
  }
  if (after.length < STEP) return false;
  log.list.append(...after.map((event) => makeLine(event, log.selected)));
  log.to = after.at(-1).seq;
  while (log.list.childElementCount > DRAWN + STEP) log.list.firstElementChild.remove();
  log.from = Number(log.list.firstElementChild.dataset.seq);
  return true;
}

async function loadOlder(log) {
  const { store } = log.page;
  const first = store.events[0].seq;
  log.loading = true;
  renderOlder(log, "Loading older lines");
  try {
    const answer = await call("GET", `/events?after=${Math.max(0, first - 1 - PAGE)}&limit=${Math.min(PAGE, first - 1)}`);
    const older = answer.events.filter((event) => event.seq < first);
    log.begun = takeOlder(store, older) === 0;
    countIn(log.choices, older);
    log.onChange();
  } catch (problem) {
    renderOlder(log, `${problem.message} ${problem.hint}`);
    return;
  } finally {
    log.loading = false;
  }
  byId("older").hidden = true;
  earlier(log);
}

function follow(log, on) {
  log.following = on;
  const { store } = log.page;
  store.kept = on ? KEPT : KEPT_READING;
  if (on) {
    trim(store);
    log.begun = false;
    if (log.paused) pause(log, false);
    log.news = 0;
    log.stale = true;
  }
  log.onChange();
}

/** Paused: the lines stand still wherever one looks, and go on from there. */
function pause(log, on) {
  log.paused = on;
  if (!on && log.following) {
    log.news = 0;
    log.stale = true;
  }
  log.onChange();
}

function refilter(log) {
  log.stale = true;
  log.news = 0;
  log.following = !log.paused;
  log.onChange();
}

function toBottom(log) {
  log.scroll.scrollTop = log.scroll.scrollHeight;
  log.bottom = log.scroll.scrollTop;
}

function renderButtons(log) {
  byId("follow").setAttribute("aria-pressed", String(log.following && !log.paused));
  byId("pause").setAttribute("aria-pressed", String(log.paused));
  setText(byId("pause").querySelector("span"), log.paused ? "Paused" : "Pause");
  const news = byId("news");
  news.hidden = log.news === 0;
  setText(news, `${grouped(log.news)} new, follow`);
}

function renderOlder(log, text) {
  byId("older").hidden = false;
  setText(byId("older"), text);
}

function emptyWords(log) {
  return log.page.store.events.length === 0 ? "Nothing has happened yet. Events appear here as they happen." : "No line passes the filter.";
}
