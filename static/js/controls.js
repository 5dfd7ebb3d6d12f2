/** The affinity page's rail: what can be set, what was asked for, what the last click did. */
import { asCurl, onCall } from "./api.js";
import { appToLaunch, offerApps, renderApps } from "./apps.js";
import { ask, wish } from "./ask.js";
import { offerClients, renderClients } from "./clients.js";
import { byId, choose, mark, setText } from "./dom.js";
import { offerFaults, renderFaults } from "./faults.js";
import { onLabsMachine } from "./here.js";
import { offerModes, renderModes } from "./modes.js";
import { t } from "./text.js";
import { offerTraps, renderTraps } from "./traps.js";
import { milliseconds } from "./units.js";

const JOBS = {
  "affinity_lab.launch": t("launching the lab"),
  "affinity_lab.stop": t("stopping the lab"),
  "affinity_lab.scale": t("changing the replicas"),
  "affinity_lab.kill": t("killing a replica"),
  "affinity_lab.start": t("starting a replica"),
  "affinity_lab.drain": t("draining a replica"),
  "affinity_lab.stop_replica": t("stopping a replica"),
  "affinity_lab.restart": t("restarting a replica"),
  "affinity_lab.freeze": t("freezing a replica"),
  "affinity_lab.thaw": t("thawing a replica"),
  "affinity_lab.restart_balancer": t("restarting the balancer"),
  "affinity_lab.page_keys": t("changing the page keys"),
  "affinity_lab.app_settings": t("changing the app's settings"),
  "affinity_lab.visitors": t("setting the visitors"),
  "affinity_lab.run": t("measuring a run"),
  "affinity_lab.put_back": t("putting the lab back after a run"),
  "hello_go.build": t("building Hello-Go"),
  "hello_go.launch": t("launching Hello-Go"),
  "hello_go.stop": t("stopping Hello-Go"),
};

/** Listen to the rail's controls. */
export function offerControls(page) {
  offerModes(page);
  offerFaults(page);
  offerTraps(page);
  offerClients(page);
  offerApps(page);
  byId("launch").addEventListener("click", () => ask(page, "lab", "running", "launch-said", "POST", "/affinity-lab/launch", { app: appToLaunch(known) }));
  byId("stop").addEventListener("click", () => ask(page, "lab", "stopped", "stop-said", "POST", "/affinity-lab/stop", {}));
  byId("settings").addEventListener("submit", (event) => event.preventDefault());
  byId("transport").addEventListener("change", ({ target }) => crowd(page, "transport", target.value, transportBody(target.value)));
  byId("protocol").addEventListener("change", ({ target }) => crowd(page, "protocol", target.value, { protocol: target.value }));
  document.querySelector(".quick").addEventListener("click", ({ target }) => target.dataset.visitors && setCount(page, "visitors", target.dataset.visitors));
  for (const [id, step] of [["replicas", 1], ["visitors", 4]]) offerStepper(page, id, step);
  onCall(showCall);
}

let known = null;

/** Show the state, and over it what was asked for and is not yet so. */
export function renderControls(state, live) {
  known = state;
  const running = live && state?.affinity_lab?.phase === "running";
  renderModes(state, running);
  renderCount(byId("replicas"), Object.keys(state?.replicas ?? {}).length, running, state?.limits?.max_replicas);
  renderCount(byId("visitors"), state?.visitors?.count ?? 0, running, state?.limits?.max_visitors);
  renderCrowd(state, running);
  renderFaults(state, running);
  renderTraps(state, running);
  renderClients(state, running);
  renderApps(state, live);
  renderLab(state, live);
  renderJobs(byId("jobs"), Object.values(state?.jobs ?? {}));
}

/** What is being done, and how much waits for its turn. */
function renderJobs(element, jobs) {
  const running = jobs.filter((job) => job.state === "running").map((job) => JOBS[job.name] ?? job.name);
  const waiting = jobs.length - running.length;
  const words = [running.join(", "), waiting > 0 ? t("%(n)s waiting", { n: waiting }) : ""].filter(Boolean).join("; ");
  element.hidden = words === "";
  if (element.dataset.words === words) return;
  element.dataset.words = words;
  element.replaceChildren(mark("spin"), t("Now: %(jobs)s", { jobs: words }));
}

function renderCount(input, actual, running, max) {
  const asked = wish(input.id, actual);
  const shown = asked ?? actual;
  if (max) input.max = max;
  if (document.activeElement !== input || input.dataset.shown === input.value) input.value = String(shown);
  input.dataset.shown = String(shown);
  input.disabled = !running;
  byId(`${input.id}-less`).disabled = !running || shown <= Number(input.min);
  byId(`${input.id}-more`).disabled = !running || shown >= Number(input.max);
  input.parentElement.toggleAttribute("data-asked", asked !== undefined);
}

function renderCrowd(state, running) {
  const { transport = "auto", protocol = "json", skip_negotiation: skip, count = 0 } = state?.visitors ?? {};
  const actual = skip && transport === "WebSockets" ? "skip" : transport;
  const select = byId("transport");
  const asked = wish("transport", actual);
  if (document.activeElement !== select || asked === undefined) select.value = asked ?? actual;
  select.disabled = !running;
  select.toggleAttribute("data-asked", asked !== undefined);
  const blazor = state?.app === "blazor"; // speaks nothing else
  byId("protocol").disabled = !running || blazor;
  choose("protocol", blazor ? "blazorpack" : (wish("protocol", protocol) ?? protocol));
  const shown = wish("visitors", count) ?? count;
  const begun = Object.keys(state?.replicas ?? {}).length > 0;
  for (const chip of document.querySelectorAll("[data-visitors]")) {
    chip.disabled = !running;
    chip.setAttribute("aria-pressed", String(begun && Number(chip.dataset.visitors) === shown));
  }
}

function renderLab(state, live) {
  const phase = state?.affinity_lab?.phase;
  const asked = wish("lab", phase);
  const launch = byId("launch");
  launch.hidden = phase !== "stopped" && phase !== "failed";
  launch.disabled = !live || asked !== undefined;
  launch.toggleAttribute("data-asked", asked === "running");
  setText(launch.querySelector("span"), asked === "running" ? t("Asked to launch") : phase === "failed" ? t("Retry") : appToLaunch(state) === "blazor" ? t("Launch three Blazor replicas") : t("Launch three replicas"));
  byId("stop").disabled = !live || !["running", "starting", "failed"].includes(phase);
  byId("stop").toggleAttribute("data-asked", asked === "stopped");
  const url = onLabsMachine && state?.balancer?.phase === "running" ? state.balancer.url : null;
  byId("open-app").hidden = !url;
  if (url) byId("open-app").href = url;
}

function offerStepper(page, id, step) {
  const input = byId(id);
  const by = (amount) => setCount(page, id, Number(input.value) + amount);
  byId(`${id}-less`).addEventListener("click", () => by(-step));
  byId(`${id}-more`).addEventListener("click", () => by(step));
  input.addEventListener("change", () => setCount(page, id, input.value));
  input.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), setCount(page, id, input.value)));
}

/** Ask for a number of replicas or visitors; out of range becomes the nearest that can be. */
function setCount(page, id, text) {
  const input = byId(id);
  const count = Math.min(Number(input.max), Math.max(Number(input.min), Math.round(Number(text) || 0)));
  input.value = String(count);
  if (count === Number(input.dataset.shown)) return;
  input.dataset.shown = String(count);
  if (id === "replicas") ask(page, "replicas", count, "settings-said", "PUT", "/replicas", { count });
  else crowd(page, "visitors", count, { count });
}

function crowd(page, what, value, body) {
  return ask(page, what, value, "settings-said", "PUT", "/visitors", body);
}

function transportBody(value) {
  return value === "skip" ? { transport: "WebSockets", skip_negotiation: true } : { transport: value, skip_negotiation: false };
}

function showCall(made) {
  byId("lastcall-none").hidden = true;
  byId("lastcall").hidden = false;
  const good = made.status < 400;
  const words = `${made.method} ${made.path.replace(/^\/api\/workspaces\//, "…/")}, ${made.status}, ${milliseconds(made.ms)}`;
  byId("lastcall-answer").replaceChildren(mark(good ? "ok" : "refused"), words);
  setText(byId("lastcall-curl"), asCurl(made));
}
