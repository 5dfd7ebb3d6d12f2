/** An exercise: one step at a time, what it asks of the lab, what its checks see, how much time is left. */
import { call } from "./api.js";
import { showProblem } from "./ask.js";
import { answersOf, concerns, fillAnswers, renderChecks } from "./checks_view.js";
import { doAll, hearDeeds } from "./deeds.js";
import { byId, h, mark, setText } from "./dom.js";
import { DONE, FORGET_SURE, STEP_DONE, UNDER_WAY, deedLine, secondsLeft, timeLeft } from "./exercise_words.js";
import { createBeside, hearBeside, labVerdict, renderBeside, renderLabVerdict } from "./lab_beside.js";
import { begin } from "./live.js";

const CHECK_AFTER = 250;
const CHECK_GAP = 900;
const MARKS = { doing: "spin", done: "ok", failed: "refused" };

const main = byId("main");
const { exercise: slug, lab } = main.dataset;
const sections = new Map([...main.querySelectorAll(".step[data-step]")].map((section) => [section.dataset.step, section]));
const results = new Map();
const follows = document.body.dataset.role === "follower";
const beside = createBeside(true);
let now = null;
let shown = null;
let busy = false;
let checking = false;
let again = null;

const page = begin({ render, hear });
listen();
start();

function hear(events, live) {
  hearDeeds(events);
  hearBeside(beside, events, live);
  const step = stepOf(shown);
  if (step && !step.passed && !follows && concerns(step, events)) checkSoon();
}

function render() {
  const verdict = labVerdict(page, lab);
  renderLabVerdict(verdict);
  renderBeside(beside, page, main.dataset.picture === "yes", verdict.title);
  renderTimer();
}

async function start() {
  try {
    take(await call("GET", `/exercises/${slug}`));
    byId("begin").disabled = false;
    show(location.hash.slice(1) || now.open);
  } catch (problem) {
    showProblem(byId("exercise-said"), problem);
  }
}

function listen() {
  byId("begin").addEventListener("click", () => go(now.steps[0].id));
  byId("extend").addEventListener("click", () => ask("POST", "/extend", { minutes: 5 }));
  byId("forget").addEventListener("click", forget);
  addEventListener("hashchange", () => show(location.hash.slice(1), true));
  for (const [id, section] of sections) {
    section.addEventListener("click", ({ target }) => click(id, target));
    section.addEventListener("change", ({ target }) => target.matches("[data-answer]") && checkNow());
    section.addEventListener("keydown", (event) => event.key === "Enter" && event.target.matches("[data-answer]") && checkNow());
  }
}

function click(id, target) {
  const button = target.closest("[data-button]");
  if (button) return void run(stepOf(id).buttons[Number(button.dataset.button)]);
  const act = target.closest("[data-act]")?.dataset.act;
  if (act === "check") checkNow();
  if (act === "hint") hint(id);
  if (act === "solve") solve(id);
  if (act === "reset") reset(id);
}

function stepOf(id) {
  return now?.steps.find((step) => step.id === id);
}

function go(id) {
  if (location.hash === `#${id}`) show(id, true);
  else location.hash = id;
}

/** Show a step; to see it is to begin it. Without a name, or with a wrong one, the introduction. */
async function show(id, moved = false) {
  if (!now) return;
  shown = sections.has(id) ? id : null;
  byId("intro").hidden = shown !== null;
  for (const [name, section] of sections) section.hidden = name !== shown;
  for (const link of main.querySelectorAll("[data-to]")) {
    if (link.dataset.to === shown) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
  if (shown === null) return;
  renderStep();
  if (moved) {
    sections.get(shown).querySelector("h2").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }
  if (follows) return;
  await ask("POST", `/steps/${shown}/open`, {});
  if (!stepOf(shown)?.passed) checkNow();
}

/** A call about the exercise that answers how it stands now. */
async function ask(method, path, body) {
  try {
    take(await call(method, `/exercises/${slug}${path}`, body));
    byId("exercise-said").replaceChildren();
  } catch (problem) {
    showProblem(byId("exercise-said"), problem);
  }
}

function take(answer) {
  now = answer;
  for (const link of main.querySelectorAll("[data-to]")) {
    const { passed } = stepOf(link.dataset.to);
    link.toggleAttribute("data-passed", passed);
    setText(link.querySelector("[data-done]"), passed ? `, ${DONE}` : "");
  }
  byId("forget").hidden = !now.begun_at;
  if (shown) renderStep();
  renderTimer();
}

function renderStep() {
  const [section, step] = [sections.get(shown), stepOf(shown)];
  renderChecks(section, step, step.passed ? step.results : (results.get(shown) ?? []));
  section.querySelector("[data-onwards]").hidden = !step.passed;
  section.toggleAttribute("data-passed", step.passed);
  // what is done before the step has begun would count for nothing
  const early = step.since === null;
  for (const button of section.querySelectorAll("[data-button], [data-act=solve], [data-act=reset]")) button.disabled = busy || early;
}

function renderTimer() {
  const timer = byId("timer");
  timer.hidden = !now?.begun_at;
  if (timer.hidden) return;
  const left = secondsLeft(now, page.now());
  timer.toggleAttribute("data-over", left < 0);
  setText(byId("timer-words"), timeLeft(left));
}

/** Events come in swarms; the checks are asked once for each, and not more than about once a second. */
function checkSoon() {
  again ??= setTimeout(checkNow, checking ? CHECK_GAP : CHECK_AFTER);
}

async function checkNow() {
  clearTimeout(again);
  again = null;
  if (checking) return checkSoon();
  const [id, step] = [shown, stepOf(shown)];
  if (!step || step.since === null) return;
  checking = true;
  try {
    const answer = await call("POST", `/exercises/${slug}/steps/${id}/check`, { answers: answersOf(sections.get(id)) });
    results.set(id, answer.checks);
    if (answer.passed && !step.passed) await passed(id);
    else if (id === shown) renderStep();
    sections.get(id).querySelector("[data-said]").replaceChildren();
  } catch (problem) {
    showProblem(sections.get(id).querySelector("[data-said]"), problem);
  } finally {
    await new Promise((resolve) => setTimeout(resolve, CHECK_GAP));
    checking = false;
  }
}

async function passed(id) {
  take(await call("GET", `/exercises/${slug}`));
  if (id === shown) setText(byId("verdict-said"), STEP_DONE);
}

function hint(id) {
  const section = sections.get(id);
  const element = section.querySelector("[data-hint]");
  element.hidden = !element.hidden;
  section.querySelector("[data-act=hint]").setAttribute("aria-expanded", String(!element.hidden));
}

/** Do it through the same API, show what was asked, and fill in what a student would have written. */
async function solve(id) {
  const [section, step] = [sections.get(id), stepOf(id)];
  section.querySelector("[data-solution]").hidden = false;
  if (!(await run(step.solve))) return;
  if (step.checks.some((check) => check.question)) {
    const { checks } = await call("POST", `/exercises/${slug}/steps/${id}/check`, { reveal: true });
    fillAnswers(section, checks);
  }
  checkNow();
}

async function reset(id) {
  const [section, step] = [sections.get(id), stepOf(id)];
  if (!(await run(step.reset))) return;
  for (const input of section.querySelectorAll("[data-answer]")) input.value = "";
  section.querySelector("[data-solution]").hidden = true;
  results.delete(id);
  await ask("POST", `/steps/${id}/reset`, {});
  checkNow();
}

async function forget() {
  if (!confirm(FORGET_SURE)) return;
  results.clear();
  history.replaceState(null, "", location.pathname);
  await ask("DELETE", "", {});
  show(null);
}

/** True when all was done; what is done stands below the text, line by line. */
async function run(deeds) {
  const section = sections.get(shown);
  const said = section.querySelector("[data-said]");
  if (busy) {
    showProblem(said, { message: UNDER_WAY });
    return false;
  }
  busy = true;
  said.replaceChildren();
  renderStep();
  const lines = deeds.map((deed) => h("li", {}, mark("info"), h("code", {}, deedLine(deed)), h("small", {})));
  section.querySelector("[data-calls]").hidden = lines.length === 0;
  section.querySelector("[data-calls] ol").replaceChildren(...lines);
  try {
    await doAll(deeds, stepOf(shown).since, (place, state, words = "") => {
      lines[place].firstElementChild.replaceWith(mark(MARKS[state]));
      setText(lines[place].lastElementChild, words);
    });
    return true;
  } catch (problem) {
    showProblem(said, problem);
    return false;
  } finally {
    busy = false;
    renderStep();
    checkSoon();
  }
}
