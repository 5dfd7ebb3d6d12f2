/** Follow the presenter: the step and the live picture, until one steps aside, and back again. */
import { call } from "./api.js";
import { byId, setText } from "./dom.js";
import { ASIDE, FOLLOWING, NOTHING_PRESENTED, PRESENTATION_OVER } from "./exercise_words.js";
import { createBeside, hearBeside, labVerdict, renderBeside, renderLabVerdict } from "./lab_beside.js";
import { begin } from "./live.js";

const main = byId("main");
const sections = [...main.querySelectorAll(".step[data-step]")];
const beside = createBeside(true);
let presented = main.dataset.step ? { exercise: main.dataset.exercise, step: main.dataset.step } : null;
let over = false;
let aside = null;

const page = begin({ render, hear });
main.addEventListener("click", ({ target }) => {
  const to = target.closest("[data-to]")?.dataset.to;
  if (to && to !== presented?.step) look({ exercise: target.closest("[data-exercise]").dataset.exercise, step: to });
  else if (to) look(null);
});
byId("come-back").addEventListener("click", () => look(null));
addEventListener("keydown", press);
catchUp();
show();

function hear(events, live) {
  hearBeside(beside, events, live);
  for (const { kind, data } of events) {
    if (kind === "presentation.moved") [presented, over] = [data, false];
    if (kind === "presentation.ended") [presented, over] = [null, true];
  }
  if (events.some((event) => event.kind.startsWith("presentation."))) {
    if (!live) catchUp();
    show();
  }
}

/** What was said while nobody listened may be older than what is so now. */
async function catchUp() {
  const answer = await call("GET", "/presentation").catch(() => null);
  if (answer) presented = answer.presented;
  show();
}

function current() {
  return aside ?? presented;
}

function look(at) {
  aside = at;
  show();
  sections.find((section) => !section.hidden)?.querySelector("h1").focus();
}

function show() {
  const at = current();
  for (const section of sections) section.hidden = section.dataset.exercise !== at?.exercise || section.dataset.step !== at?.step;
  byId("nothing").hidden = Boolean(at);
  for (const list of main.querySelectorAll(".rail [data-exercise]")) list.hidden = list.dataset.exercise !== at?.exercise;
  for (const button of main.querySelectorAll("[data-to]")) {
    const here = button.closest("[data-exercise]").dataset.exercise === at?.exercise && button.dataset.to === at?.step;
    if (here) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
    button.toggleAttribute("data-presented", button.dataset.to === presented?.step);
  }
  byId("come-back").hidden = aside === null;
  setText(byId("follow-state"), aside ? ASIDE : presented ? FOLLOWING : over ? PRESENTATION_OVER : NOTHING_PRESENTED);
  const title = sections.find((section) => !section.hidden)?.querySelector("h1").textContent ?? "";
  setText(byId("verdict-said"), title);
  page.refresh();
}

/** n and p step aside to the next and the one before; Escape comes back. */
function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  if (event.key === "Escape") return void look(null);
  const by = { n: 1, p: -1 }[event.key.toLowerCase()];
  const mine = sections.filter((section) => section.dataset.exercise === current()?.exercise);
  const next = by && mine[mine.findIndex((section) => section.dataset.step === current().step) + by];
  if (next) look(next.dataset.step === presented?.step ? null : { exercise: next.dataset.exercise, step: next.dataset.step });
}

function render() {
  const shown = sections.find((section) => !section.hidden);
  const verdict = labVerdict(page, shown?.dataset.lab ?? "/affinity");
  renderLabVerdict(verdict);
  renderBeside(beside, page, shown ? shown.dataset.picture === "yes" : true, verdict.title);
}
