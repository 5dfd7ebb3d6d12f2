/** On the projector: the verdict in large type, the picture first, one key for each thing that is shown. */
import { call } from "./api.js";
import { showProblem } from "./ask.js";
import { doAll, hearDeeds } from "./deeds.js";
import { byId, choose, setText } from "./dom.js";
import { follow, killLabel, secondsLeft, stepOf, timeLeft } from "./exercise_words.js";
import { renderHeadline } from "./headline.js";
import { offerInvitations } from "./invitations.js";
import { createBeside, hearBeside, labVerdict, renderBeside } from "./lab_beside.js";
import { begin } from "./live.js";
import { replicasInOrder } from "./store.js";

const LOOK_EVERY = 5000;
const MODES = ["none", "cookie", "source_ip"];
const KEYS = { 1: () => mode("none"), 2: () => mode("cookie"), 3: () => mode("source_ip"), a: nextMode, d: drop, k: kill, n: () => move(1), p: () => move(-1), t: turn, b: doNext, i: () => invitations.open() };

const main = byId("main");
const { exercise: slug, lab, picture } = main.dataset;
const sections = [...main.querySelectorAll(".text-of-step")];
const beside = createBeside();
let now = null;
let text = picture !== "yes";
let place = Math.max(0, sections.findIndex((section) => section.dataset.step === main.dataset.step));
let done = 0;
let busy = false;
let followers = 0;

const page = begin({ render, hear });
const invitations = offerInvitations(page);
beside.picture.tall.addEventListener("change", () => page.refresh());
for (const [id, key] of Object.entries({ "drop-all": "d", kill: "k", "show-text": "t", back: "p", next: "n", do: "b", invite: "i" })) byId(id).addEventListener("click", KEYS[key]);
byId("affinity").addEventListener("change", ({ target }) => mode(target.value));
byId("keys").addEventListener("submit", (event) => event.preventDefault());
addEventListener("keydown", press);
setInterval(look, LOOK_EVERY);
addEventListener("pagehide", leave);
start();

function hear(events, live) {
  hearDeeds(events);
  hearBeside(beside, events, live);
}

async function start() {
  await attempt(async () => {
    now = await call("GET", `/exercises/${slug}`);
    await tell();
  });
  look();
}

function render({ store, status }) {
  const state = store?.state;
  const live = status.state === "websocket" || status.state === "polling";
  const verdict = labVerdict(page, lab);
  main.dataset.phase = state?.affinity_lab?.phase ?? "connecting";
  renderHeadline(verdict);
  renderBeside(beside, page, picture === "yes" && !text, verdict.title);
  renderKeys(state, live);
  for (const [i, section] of sections.entries()) section.hidden = !text || i !== place;
  setText(byId("where").firstElementChild, stepOf(place + 1, sections.length));
  setText(byId("where").lastElementChild, sections[place].querySelector("h2").textContent);
  setText(byId("followers"), follow(followers, invitations.address()));
  byId("timer").hidden = !now?.begun_at;
  if (now?.begun_at) setText(byId("timer-words"), timeLeft(secondsLeft(now, page.now())));
}

function renderKeys(state, live) {
  const running = live && state?.affinity_lab?.phase === "running";
  const affinity = lab === "/affinity";
  for (const id of ["affinity", "drop-all", "kill"]) byId(id).hidden = !affinity;
  byId("affinity").disabled = byId("drop-all").disabled = !running;
  choose("mode", state?.balancer?.affinity?.mode);
  byId("kill").disabled = !running || !victim();
  setText(byId("kill").querySelector("span"), killLabel(victim()));
  byId("show-text").hidden = picture !== "yes";
  byId("show-text").setAttribute("aria-pressed", String(text));
  const label = labels()[done];
  byId("do").hidden = !label;
  byId("do").disabled = busy || !live;
  setText(byId("do").querySelector("span"), label ?? "");
  byId("back").disabled = place === 0;
  byId("next").disabled = place === sections.length - 1;
}

/** What the step's own buttons say, in their order. */
function labels() {
  return [...sections[place].querySelectorAll(".do span")].map((label) => label.textContent);
}

/** The running replica with the most connections: its death shows best. */
function victim() {
  const running = replicasInOrder(page.store?.state).filter((replica) => replica.phase === "running");
  return running.sort((a, b) => (b.connections ?? 0) - (a.connections ?? 0))[0]?.name;
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("invitations").open) return;
  if (event.key === "Escape") location.assign(byId("leave").href);
  const deed = KEYS[event.key.toLowerCase()];
  if (!deed || event.repeat) return;
  event.preventDefault();
  deed();
}

function mode(value) {
  if (lab === "/affinity") attempt(() => call("PUT", "/affinity", { mode: value }));
}

function drop() {
  if (lab === "/affinity") attempt(() => call("POST", "/connections/drop", {}));
}

function kill() {
  const replica = victim();
  if (lab === "/affinity" && replica) attempt(() => call("POST", `/replicas/${replica}/kill`, {}));
}

function nextMode() {
  mode(MODES[(MODES.indexOf(page.store?.state?.balancer?.affinity?.mode) + 1) % MODES.length]);
}

function turn() {
  if (picture !== "yes") return;
  text = !text;
  page.refresh();
}

/** Do what the step's next button does. */
async function doNext() {
  const deeds = now?.steps[place].buttons[done];
  if (!deeds || busy) return;
  busy = true;
  page.refresh();
  if (await attempt(() => doAll(deeds, page.store.last, () => {}))) done += 1;
  busy = false;
  page.refresh();
}

async function move(by) {
  const next = place + by;
  if (next < 0 || next >= sections.length) return;
  [place, done] = [next, 0];
  page.refresh();
  await attempt(tell);
}

/** Followers see what is told here. */
function tell() {
  return call("PUT", "/presentation", { exercise: slug, step: sections[place].dataset.step });
}

/** The presentation ends with its page; the browser sends this though the page is gone. */
function leave() {
  fetch(`/api/workspaces/${page.workspace}/presentation`, { method: "PUT", keepalive: true, headers: { "Content-Type": "application/json" }, body: "{}" });
}

async function look() {
  await attempt(async () => {
    followers = (await call("GET", "/presentation")).followers;
  });
  page.refresh();
}

/** True when it could be done; what went wrong stands above the buttons. */
async function attempt(deed) {
  try {
    await deed();
    byId("show-said").replaceChildren();
    return true;
  } catch (problem) {
    showProblem(byId("show-said"), problem);
    return false;
  }
}
