/** Ways to a place of the log: a link to one event, a time of day, and the file to take away. */
import { call } from "./api.js";
import { byId } from "./dom.js";
import { queryOf } from "./log_filter.js";
import { t } from "./text.js";
import { clockSeconds, momentOf } from "./units.js";

const LINK = /^#event-(\d{1,15})$/;

/**
 * `goTo(seq)` shows an event and resolves with whether it is there; `say(words)` tells what came of it. Returns
 * what shows the event that the address names, if it names one.
 */
export function offerPlaces(log, { goTo, say }) {
  const show = () => linkedSeq() !== null && showLinked(goTo, say);
  addEventListener("hashchange", show);
  byId("log-lines").addEventListener("click", (event) => link(event, goTo, say));
  byId("log-jump").addEventListener("submit", (event) => {
    event.preventDefault();
    jump(log, goTo, say);
  });
  for (const [id, format] of [["log-jsonl", "jsonl"], ["log-text", "text"]]) {
    byId(id).addEventListener("click", () => (byId(id).href = fileAddress(log, format)));
    byId(id).href = fileAddress(log, format);
  }
  return show;
}

/** 812 of `#event-812` or `?event=812`; null without. */
export function linkedSeq({ hash, search } = location) {
  const text = LINK.exec(hash)?.[1] ?? new URLSearchParams(search).get("event");
  return /^\d{1,15}$/.test(text ?? "") ? Number(text) : null;
}

async function showLinked(goTo, say) {
  const seq = linkedSeq();
  const there = await goTo(seq);
  say(there ? t("Event %(seq)s, as the link says.", { seq }) : t("Event %(seq)s is not in the log: it was cleared, or has not happened yet.", { seq }));
  if (there) bringIntoView();
}

/** A click on a line's time makes the address a link to it; the line stays where it is. */
function link(event, goTo, say) {
  const seq = LINK.exec(event.target.closest("a.at")?.hash ?? "")?.[1];
  if (seq === undefined || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  history.replaceState(null, "", `#event-${seq}`);
  goTo(Number(seq)).then(() => say(t("The address of this page is a link to event %(seq)s now.", { seq })));
}

/** The first line that passes at or after that time of day, today or on the day before. */
async function jump(log, goTo, say) {
  const { value } = byId("log-time");
  const newest = log.page.store.events.at(-1);
  if (!value || !newest) return;
  const at = momentOf(value, newest.at);
  const query = queryOf(log.filter);
  query.set("at", at);
  query.set("limit", 1);
  try {
    const [event] = (await call("GET", `/events?${query}`)).events;
    if (event && (await goTo(event.seq))) say(t("Event %(seq)s, at %(time)s.", { seq: event.seq, time: clockSeconds(event.at) }));
    else say(t("No line at or after %(time)s.", { time: clockSeconds(at) }));
  } catch (problem) {
    say(`${problem.message} ${problem.hint}`);
  }
}

function fileAddress({ page, filter }, format) {
  const query = queryOf(filter);
  query.set("format", format);
  return `/api/workspaces/${encodeURIComponent(page.workspace)}/events/download?${query}`;
}

/** Who follows a link came for the log: on a narrow page it is far down. */
function bringIntoView() {
  const { top, bottom } = byId("log").getBoundingClientRect();
  if (top > innerHeight / 2 || bottom < innerHeight / 3) byId("log").scrollIntoView({ block: "start" });
  byId("log-scroll").focus({ preventScroll: true });
}
