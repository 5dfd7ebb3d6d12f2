/** The affinity page: the verdict, the picture, the controls and the log, all out of one state. */
import { hearJobs } from "./ask.js";
import { createCharts, hearCharts, renderCharts } from "./charts.js";
import { offerControls, renderControls } from "./controls.js";
import { byId, setText } from "./dom.js";
import { createFlights, fly, land } from "./flights.js";
import { renderHeadline } from "./headline.js";
import { begin, waited } from "./live.js";
import { createLog, hear as hearLog, renderLog } from "./log.js";
import { createPicture, renderPicture } from "./picture.js";
import { renderPictureTable } from "./picture_table.js";
import { stepsOf } from "./picture_story.js";
import { offerReplicaRows, renderReplicaRows } from "./replica_rows.js";
import { createRuns, hearRuns, renderRuns } from "./runs.js";
import { replayed } from "./runs_replay.js";
import { count, createTally } from "./tally.js";
import { createStory, hearStory, openStory } from "./story_panel.js";
import { t } from "./text.js";
import { createTurns, inTurn } from "./turns.js";
import { clockSeconds } from "./units.js";
import { affinityVerdict } from "./verdict.js";

const tally = createTally();
const picture = createPicture(byId("picture"));
const flights = createFlights(byId("picture"), () => picture.geometry, () => page.refresh());
const turns = createTurns();
let log = null;
let charts = null;
let drawn = null;

const page = begin({ hear, render });
log = createLog(page, page.refresh);
charts = createCharts(page);
const story = createStory(page, choose);
const runs = createRuns(page, (events) => fly(flights, events));
offerControls(page);
offerReplicaRows(page);
byId("picture").addEventListener("click", select);
picture.tall.addEventListener("change", () => page.refresh());

function hear(events, live) {
  count(tally, events);
  hearJobs(events);
  hearLog(log, events);
  hearRuns(runs, events, live);
  hearCharts(charts, events);
  if (live) hearStory(story, events);
  if (live && !replayed(runs.replay)) fly(flights, events);
}

function render({ store, status }) {
  const state = store?.state;
  const live = status.state === "websocket" || status.state === "polling";
  const main = byId("main");
  main.dataset.phase = state?.affinity_lab?.phase ?? "connecting";
  main.classList.toggle("is-stale", Boolean(state) && !live);
  const stage = replayed(runs.replay) ?? { state, events: store?.events, tally, label: null };
  const verdict = affinityVerdict(stage.state, stage.label ? 0 : waited(page, "affinity_lab"));
  renderHeadline(stage.label ? { ...verdict, title: `${stage.label}: ${verdict.title}` } : verdict);
  renderStale(state, live, store);
  renderStage(stage, verdict);
  if (!live) land(flights);
  inTurn(turns, "log", () => log && renderLog(log, picture.selected));
  inTurn(turns, "rail", () => renderControls(state, live));
  inTurn(turns, "under the picture", () => renderUnder(stage, state, live));
}

/** What stands under the picture; like rail and log it follows a frame or two later, so that no frame has all to do. */
function renderUnder(stage, state, live) {
  renderReplicaRows(stage.state, live && !stage.label, stage.tally.refused, (name) => waited(page, name));
  setText(byId("since"), stage.tally.since ? t("404 since %(time)s", { time: clockSeconds(stage.tally.since) }) : "404");
  renderRuns(runs, state, live);
  if (charts) renderCharts(charts, state);
}

/** Drawn again only when somebody looks and what it shows is another object: patches copy what they change. */
function renderStage({ state, events, tally }, verdict) {
  const steps = picture.selected ? stepsOf(events, picture.selected) : [];
  const key = [state?.people, state?.circuits, state?.replicas, state?.balancer, tally.total, picture.selected, steps.at(-1)?.replica, picture.tall.matches];
  if (drawn && (!flights.seen || key.every((part, i) => part === drawn[i]))) return;
  drawn = key;
  renderPicture(picture, state, { title: verdict.title, refused: tally.refused, steps });
  renderPictureTable(byId("picture-table"), state, picture.selected);
}

function renderStale(state, live, store) {
  const element = byId("as-of");
  element.hidden = live || !state;
  const last = store?.events.at(-1);
  if (!element.hidden) setText(element.lastElementChild, last ? t("Not live: as it was at %(time)s", { time: clockSeconds(last.at) }) : t("Not live: as it was"));
}

/** A click on a visitor or its memory follows it in picture, log and story; another click lets go. */
function select(event) {
  const visitor = event.target.closest("[data-visitor]")?.dataset.visitor ?? null;
  choose(visitor === picture.selected ? null : visitor, runs.replay.store ? runs.replay.store.last + 1 : null);
}

function choose(visitor, before = null) {
  picture.selected = visitor;
  openStory(story, visitor, before);
  page.refresh();
}
