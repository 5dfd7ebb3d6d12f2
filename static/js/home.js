/** Home: what runs, what happened, what the engine allows. */
import { hearExercises, showExercises } from "./home_exercises.js";
import { byId, h, inline, keyed, mark, setText, swatch } from "./dom.js";
import { onLabsMachine } from "./here.js";
import { begin } from "./live.js";
import { modeName, phaseName } from "./names.js";
import { rehearsalVerdict } from "./agent_script_words.js";
import { replicasInOrder } from "./store.js";
import { recorded, t } from "./text.js";
import { grouped, megabytes } from "./units.js";
import { affinityVerdict, helloVerdict } from "./verdict.js";

const SHAPES = { busy: "spin", info: "info", ok: "ok", warn: "warn", refused: "refused" };
const PHASES = { running: "ok", failed: "refused", stopped: "info" };

begin({ render, hear: hearExercises });
showExercises();

function render({ store }) {
  const state = store?.state;
  if (!state) return;
  byId("main").dataset.phase = "live";
  const affinity = affinityVerdict(state);
  const hello = helloVerdict(state);
  now("affinity-now", state.affinity_lab.phase === "stopped" ? { tone: "info", title: t("Nothing runs") } : affinity);
  now("hello-now", state.hello_go.phase === "stopped" && !state.hello_go.build ? { tone: "info", title: t("Nothing runs") } : hello);
  now("agent-now", rehearsalVerdict(state.agent_script) ?? { tone: "info", title: t("Nothing rehearsed") });
  headline(state, affinity, hello);
  if (state.hello_go.image) setText(byId("art-size"), megabytes(state.hello_go.image.size));
  services(state);
  engine(state);
}

/** The headline is about the lab that has something to tell; affinity before Hello-Go. */
function headline(state, affinity, hello) {
  const idle = state.affinity_lab.phase === "stopped";
  const told = !idle ? affinity : state.hello_go.phase === "stopped" && !state.hello_go.build ? null : hello;
  const title = told?.title ?? t("Three labs. Break them, see why, mend them.");
  setText(byId("verdict"), title);
  setText(byId("verdict-more"), told?.more || t("Real services run on this machine. You decide what fails, and the page shows what really happened."));
}

function now(id, { tone, title }) {
  const element = byId(id);
  if (element.dataset.tone !== tone) {
    element.dataset.tone = tone;
    element.replaceChildren(mark(SHAPES[tone]), h("span"));
  }
  setText(element.lastElementChild, title);
}

function services(state) {
  keyed(byId("services"), servicesOf(state), (service) => service.name, makeService, (row, service) => {
    const [, cell, place] = row.children;
    if (cell.dataset.phase !== service.phase) {
      cell.dataset.phase = service.phase;
      cell.replaceChildren(h("span", { class: "state" }, mark(PHASES[service.phase] ?? "spin"), h("span")));
    }
    setText(cell.firstElementChild.lastElementChild, service.words);
    renderPlace(place, service);
  });
}

function makeService(service) {
  return h("tr", {}, h("th", { scope: "row" }, service.name.startsWith("replica-") ? swatch(service.name) : null, service.name), h("td"), h("td", { class: "quiet" }));
}

function renderPlace(cell, { url, where }) {
  if (!url) return setText(cell, where);
  const shown = url.replace(/^http:\/\//, "");
  if (cell.firstElementChild?.href === `${url}/`) return undefined;
  if (!onLabsMachine) return setText(cell, shown);
  return cell.replaceChildren(h("a", { href: url, target: "_blank", rel: "noopener" }, shown));
}

function servicesOf(state) {
  const { hello_go: hello, balancer, visitors } = state;
  const found = [];
  found.push({ name: "hello-go", phase: hello.phase, words: phaseName(hello.phase), url: hello.url, where: "" });
  found.push({ name: "balancer", phase: balancer.phase, words: balancer.phase === "running" ? t("running, affinity %(mode)s", { mode: modeName(balancer.affinity.mode) }) : phaseName(balancer.phase), url: balancer.url, where: "" });
  for (const replica of replicasInOrder(state)) {
    const words = replica.phase === "running" ? t("%(connected)s connected, %(circuits)s circuits", { connected: replica.connections ?? 0, circuits: replica.circuits ?? 0 }) : phaseName(replica.phase);
    found.push({ name: replica.name, phase: replica.phase, words, where: t("behind the balancer") });
  }
  const crowd = visitors.phase ?? "stopped";
  found.push({ name: "visitors", phase: crowd, words: crowd === "running" ? t("%(connected)s of %(count)s connected", visitors) : phaseName(crowd), where: crowd === "running" ? t("inside the lab") : "" });
  return found;
}

function engine(state) {
  const { name, version = "", limits = [], reason } = state.engine;
  const element = byId("engine-name");
  if (!element.firstChild) element.replaceChildren(mark("ok"), h("span"));
  setText(element.lastElementChild, `${name} ${version}`.trim());
  fact("fact-replicas", Object.keys(state.replicas).length, state.limits.max_replicas);
  fact("fact-visitors", state.visitors.count, state.limits.max_visitors);
  const texts = [reason, ...limits.map((limit) => limit.text ?? limit)].filter(Boolean).map(recorded);
  keyed(byId("limits"), texts, (text) => text, (text) => h("li", {}, mark("info"), h("span", {}, ...inline(text))), () => {});
}

function fact(id, value, most) {
  byId(id).replaceChildren(`${grouped(value)} `, h("span", {}, t("of %(most)s", { most: grouped(most) })));
}
