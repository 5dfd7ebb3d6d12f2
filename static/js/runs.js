/** The runs of the affinity page: ask for one, watch it measure, read it, compare two, play it again. */
import { call } from "./api.js";
import { ask, showProblem } from "./ask.js";
import { byId, chips, h, mark, setText } from "./dom.js";
import { createRunAsk, offered, renderRunAsk } from "./runs_ask.js";
import { drawMatrix } from "./runs_matrix.js";
import { drawOverview, hasOverview, OVERVIEW } from "./runs_overview.js";
import { createReplay, play, renderReplay } from "./runs_replay.js";
import { allOnOne, cellOf, cellWords, choiceOf, counted, differWords, endedWords, factsOf, progressOf, storyOf, titleOf } from "./runs_words.js";
import { t } from "./text.js";
import { clockSeconds } from "./units.js";

const ENDS = new Set(["run.finished", "run.cancelled", "run.failed", "run.cut_off"]);

/** `hear(events)` gets what a replay plays. */
export function createRuns(page, hear) {
  const runs = { page, list: [], read: new Map(), chosen: null, beside: null, situation: "drop", cell: null, saidAt: 0, drawn: "", replay: null };
  runs.replay = createReplay({ hear, changed: page.refresh });
  runs.form = createRunAsk(page, () => runs.list.length > 0);
  byId("run-choice").addEventListener("change", ({ target }) => told(choose(runs, Number(target.value))));
  byId("run-beside").addEventListener("change", ({ target }) => told(compare(runs, Number(target.value) || null)));
  byId("run-tabs").addEventListener("click", ({ target }) => see(runs, target.closest("[data-name]")?.dataset.name));
  byId("run-matrix").addEventListener("click", (event) => chooseCell(runs, event));
  byId("run-replay").addEventListener("click", () => replayFrom(runs, runs.cell));
  byId("run-cell").addEventListener("click", ({ target }) => target.closest("button") && replayFrom(runs, runs.cell));
  byId("run-cancel").addEventListener("click", () => cancel(runs));
  reload(runs);
  return runs;
}

/** New events of the log, past or live. */
export function hearRuns(runs, events, live) {
  for (const { kind, data, at } of events) {
    if (kind === "run.started" || kind === "run.cell_measured") runs.saidAt = Date.parse(at);
    if (kind === "run.cell_measured") take(runs, data);
    if (live && (kind === "run.started" || ENDS.has(kind))) begin(runs, data.run);
    if (live && kind === "workspace.reset") forget(runs);
  }
}

/** A cell that comes in its turn is added; where one was missed, the whole run is asked for again. */
function take(runs, { run, place, cell }) {
  const cells = runs.read.get(run)?.cells;
  if (cells?.length === place) cells.push(cell);
  else if (cells?.length < place) begin(runs, run);
}

/** Bring the section up to date. */
export function renderRuns(runs, state, live) {
  const run = runs.read.get(runs.chosen);
  renderRunAsk(runs.form, state, live);
  renderProgress(runs, state);
  renderReplay(runs.replay);
  byId("runs-none").hidden = runs.list.length > 0;
  for (const id of ["run-acts", "run-which", "run-tabs", "run-scroll", "run-foot"]) byId(id).hidden = !run;
  if (!run) return;
  const beside = runs.read.get(runs.beside);
  const shown = [run, beside].filter(Boolean);
  const mode = state?.balancer?.affinity?.mode;
  const key = JSON.stringify([shown.map(({ id, cells, phase }) => [id, cells.length, phase]), runs.situation, runs.cell, mode, runs.list.length]);
  if (key === runs.drawn) return;
  runs.drawn = key;
  renderChosen(runs, run, shown, mode);
}

function renderChosen(runs, run, shown, mode) {
  const { situation } = runs;
  setText(byId("runs-h"), titleOf(run, situation));
  setText(byId("run-facts"), factsOf(run, situation));
  renderChoices(runs);
  const overview = hasOverview(run) ? [[OVERVIEW, t("At a glance"), situation === OVERVIEW, false]] : [];
  chips(byId("run-tabs"), [...overview, ...Object.entries(run.labels.situations).map(([name, { label }]) => [name, label, name === situation, !run.plan.situations.includes(name)])]);
  const ended = endedWords(run);
  byId("run-ended").hidden = !ended;
  byId("run-ended").replaceChildren(mark(run.phase === "failed" ? "refused" : "warn"), ended);
  byId("run-replay").disabled = run.cells.length === 0;
  offerFile("run-csv", run, "csv", `/runs/${run.id}/csv`);
  offerFile("run-json", run, "json", `/runs/${run.id}`);
  byId("run-matrix").classList.toggle("glance", situation === OVERVIEW);
  if (situation === OVERVIEW) drawOverview(byId("run-matrix"), run);
  else drawMatrix(byId("run-matrix"), shown, situation, runs.cell, mode);
  renderCell(runs, shown);
  setText(byId("run-foot").lastElementChild, footOf(run, situation));
}

function offerFile(id, run, ending, path) {
  byId(id).href = `/api/workspaces/${document.body.dataset.workspace}${path}`;
  byId(id).download = `run-${run.id}.${ending}`;
}

function footOf(run, situation) {
  if (situation === OVERVIEW) return [t("With affinity all transports together; a click on a cell leads to each of them."), differWords(run.cells)].filter(Boolean).join(" ");
  const words = run.plan.algorithm === "random" ? t("what theory expects where each request is dealt out by chance.") : t("what theory expects where the requests of many mix by chance; visitors who come at the same moment do so less.");
  const one = allOnOne(run.cells.filter((cell) => cell.situation === situation && cell.affinity === "source_ip"));
  const everybody = one && t("Source IP sends everybody to %(replica)s: they share one address.", { replica: one });
  const unlike = differWords(run.cells.filter((cell) => cell.situation === situation));
  return [words, everybody, unlike].filter(Boolean).join(" ");
}

function renderChoices(runs) {
  const options = (skip) => runs.list.filter(({ id }) => id !== skip).map((each) => [String(each.id), choiceOf(each, clockSeconds)]);
  fill(byId("run-choice"), options(null), String(runs.chosen));
  fill(byId("run-beside"), [["", t("no other run")], ...options(runs.chosen)], String(runs.beside ?? ""));
  byId("run-beside").disabled = runs.list.length < 2;
}

function fill(select, options, value) {
  select.replaceChildren(...options.map(([name, text]) => h("option", { value: name }, text)));
  select.value = value;
}

function renderCell(runs, shown) {
  const element = byId("run-cell");
  const { situation, cell } = runs;
  element.hidden = !cell;
  if (!cell) return;
  const parts = shown.flatMap((run) => {
    const found = cellOf(run, { situation, ...cell });
    if (!found) return [];
    const name = shown.length > 1 ? h("b", {}, `${t("Run %(run)s.", { run: run.id })} `) : null;
    return [h("p", {}, name, storyOf(found, run.plan).join(" ")), h("p", { class: "quiet" }, t("Asked by the balancer: %(requests)s. Connected at the end: %(load)s.", { requests: counted(found.outcome.requests), load: counted(found.outcome.load) }))];
  });
  const button = h("button", { class: "btn small", type: "button" }, h("span", {}, t("Replay this cell")));
  element.replaceChildren(h("div", { class: "head" }, h("h3", {}, cellWords({ ...cell, situation }, shown[0].labels, new Set(shown.flatMap(({ plan }) => plan.keys)).size > 1)), button), ...parts);
}

function renderProgress(runs, state) {
  const run = state?.run;
  const busy = run?.phase === "measuring" || run?.phase === "putting_back";
  byId("run-progress").hidden = !busy;
  if (!busy) return;
  const read = runs.read.get(run.id);
  setText(byId("run-now"), progressOf(run, read, (runs.page.now() - runs.saidAt) / 1000));
  byId("run-done").max = run.total || 1;
  byId("run-done").value = run.done ?? run.total ?? 1;
  byId("run-cancel").disabled = run.phase !== "measuring";
}

function see(runs, situation) {
  if (situation) Object.assign(runs, { situation, cell: null });
  runs.page.refresh();
}

function chooseCell(runs, { target }) {
  const situation = target.closest("button[data-situation]")?.dataset.situation;
  if (situation) see(runs, situation);
  const found = target.closest("button[data-affinity]")?.dataset;
  if (!found) return;
  const { affinity, transport, keys } = found;
  const same = runs.cell?.affinity === affinity && runs.cell?.transport === transport && runs.cell?.keys === keys;
  runs.cell = same ? null : { affinity, transport, keys };
  runs.page.refresh();
}

function replayFrom(runs, cell) {
  const run = runs.read.get(runs.chosen);
  const wanted = { situation: runs.situation === OVERVIEW ? undefined : runs.situation, ...cell };
  const place = run.cells.findIndex((each) => Object.entries(wanted).every(([name, value]) => value === undefined || each[name] === value));
  told(play(runs.replay, run, Math.max(0, place)).then(() => byId("verdict").scrollIntoView()));
}

/** What went wrong is shown where the click was. */
const told = (promise) => promise.catch((problem) => showProblem(byId("run-said"), problem));

function cancel(runs) {
  const id = runs.page.store.state?.run?.id;
  if (id) ask(runs.page, "run-cancel", true, "run-said", "POST", `/runs/${id}/cancel`, {});
}

/** A run has begun or ended: it is the one to look at. */
async function begin(runs, id) {
  runs.read.delete(id);
  await reload(runs, id);
}

async function reload(runs, id = null) {
  try {
    const { runs: list, offer } = await call("GET", "/runs");
    Object.assign(runs, { list, drawn: "" });
    offered(runs.form, offer);
    const wanted = id ?? runs.chosen ?? list[0]?.id;
    if (wanted !== undefined) await choose(runs, wanted);
  } catch {
    // away for a moment: the next event asks again
  }
  runs.page.refresh();
}

async function choose(runs, id) {
  await read(runs, id);
  const run = runs.read.get(id);
  const view = runs.chosen === id && hasOverview(run) ? runs.situation : viewOf(run, runs.situation);
  if (runs.chosen !== id) runs.cell = null;
  if (runs.beside === id) runs.beside = null;
  Object.assign(runs, { chosen: id, situation: view });
  runs.drawn = "";
  runs.page.refresh();
}

/** What to look at first: all at a glance, else what is asked for, else what was measured last. */
function viewOf(run, now) {
  if (hasOverview(run)) return OVERVIEW;
  const newest = run.cells.at(-1)?.situation;
  const something = run.cells.some(({ situation }) => situation === now);
  if (newest && (run.phase === "measuring" || !something)) return newest;
  return run.plan.situations.includes(now) ? now : run.plan.situations[0];
}

async function compare(runs, id) {
  if (id) await read(runs, id);
  const situation = id && runs.situation === OVERVIEW ? runs.read.get(runs.chosen).plan.situations[0] : runs.situation;
  Object.assign(runs, { beside: id, situation, drawn: "" });
  runs.page.refresh();
}

async function read(runs, id) {
  if (!runs.read.has(id)) runs.read.set(id, await call("GET", `/runs/${id}`));
}

function forget(runs) {
  runs.read.clear();
  Object.assign(runs, { list: [], chosen: null, beside: null, cell: null, drawn: "" });
  setText(byId("runs-h"), t("Runs: who comes back, measured"));
  setText(byId("run-facts"), "");
  byId("run-ended").hidden = byId("run-cell").hidden = true;
}
