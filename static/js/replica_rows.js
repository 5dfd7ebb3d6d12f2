/** The table under the picture: each replica's facts, and the buttons that break or mend it. */
import { ask, wish } from "./ask.js";
import { byId, h, icon, keyed, mark, setText, swatch } from "./dom.js";
import { phaseName } from "./names.js";
import { makeScene } from "./scene.js";
import { recorded, t } from "./text.js";

const ACTS = {
  drop: [t("Drop"), "drop", (name) => ["/connections/drop", { replica: name }]],
  kill: [t("Kill"), "kill", (name) => [`/replicas/${name}/kill`, {}]],
  start: [t("Start"), "play", (name) => [`/replicas/${name}/start`, {}]],
  thaw: [t("Thaw"), "play", (name) => [`/replicas/${name}/thaw`, {}]],
  drain: [t("Drain"), "drain", (name) => [`/replicas/${name}/drain`, {}]],
};
const SHAPES = { running: "ok", failed: "refused", stopped: "info", frozen: "warn" };

/** Listen to the buttons of all rows. */
export function offerReplicaRows(page) {
  byId("replica-table").addEventListener("click", ({ target }) => {
    const button = target.closest("button[data-act]");
    if (!button) return;
    const name = button.closest("tr").dataset.replica;
    const [path, body] = ACTS[button.dataset.act][2](name);
    ask(page, `${button.dataset.act} ${name}`, true, "replica-said", "POST", path, body);
  });
}

/** One row for each replica of the state. `waited(name)` says how long it has been in its phase. */
export function renderReplicaRows(state, live, refused, waited) {
  const { replicas } = makeScene(state ?? {});
  byId("replica-table").closest("section").hidden = replicas.length === 0;
  keyed(byId("replica-table").tBodies[0], replicas, (replica) => replica.name, makeRow, (row, replica) => {
    const cells = row.children;
    renderPhase(cells[1], replica, waited(replica.name));
    const numbers = [replica.connections ?? 0, replica.waiting.length, replica.orphan.length, refused[replica.name] ?? 0];
    numbers.forEach((number, i) => setText(cells[i + 2], String(number)));
    cells[5].classList.toggle("refused", numbers[3] > 0);
    for (const button of row.querySelectorAll("button")) renderButton(button, replica, live);
  });
}

function makeRow(replica) {
  const buttons = Object.entries(ACTS).map(([act, [label, sign]]) =>
    h("button", { class: "btn small bare", type: "button", "data-act": act, "aria-label": `${label} ${replica.name}` }, icon(sign), h("span", {}, label)),
  );
  const numbers = [2, 3, 4, 5].map(() => h("td", { class: "num" }));
  return h("tr", { "data-replica": replica.name }, h("th", { scope: "row" }, swatch(replica.name), replica.name), h("td"), ...numbers, h("td", {}, h("span", { class: "acts-row" }, ...buttons)));
}

function renderPhase(cell, replica, seconds) {
  const words = phaseWords(replica, seconds);
  const key = `${replica.phase} ${replica.draining} ${replica.healthy}`;
  if (cell.dataset.phase !== key) {
    cell.dataset.phase = key;
    cell.replaceChildren(h("span", { class: "state" }, mark(replica.draining || ejected(replica) ? "warn" : (SHAPES[replica.phase] ?? "spin")), h("span", {})));
  }
  setText(cell.firstElementChild.lastElementChild, words);
  const why = replica.phase === "failed" && replica.error ? `${recorded(replica.error.message)} ${recorded(replica.error.hint)}` : "";
  cell.title = why;
}

/** The balancer's health checks get no answer, though it runs. */
const ejected = (replica) => replica.healthy === false && (replica.phase === "running" || replica.phase === "frozen");

function phaseWords(replica, seconds) {
  if (replica.draining && replica.phase === "running") return t("draining");
  if (ejected(replica)) return replica.phase === "frozen" ? t("frozen, ejected") : t("ejected");
  const busy = replica.phase === "starting" || replica.phase === "stopping";
  return busy && seconds >= 2 ? `${phaseName(replica.phase)}, ${Math.floor(seconds)} s` : phaseName(replica.phase);
}

function renderButton(button, replica, live) {
  const { act } = button.dataset;
  const running = replica.phase === "running";
  const down = replica.phase === "stopped" || replica.phase === "failed";
  const frozen = replica.phase === "frozen";
  button.hidden = { start: !down, kill: down, thaw: !frozen, drain: frozen }[act] ?? false;
  const can = { start: down, kill: running || frozen, thaw: frozen, drain: running && !replica.draining }[act] ?? running;
  button.disabled = !live || !can;
  button.toggleAttribute("data-asked", wish(`${act} ${replica.name}`) !== undefined);
}
