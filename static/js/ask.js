/** A click: asked at once, true when the events say so, and its error stands where the click was. */
import { call } from "./api.js";
import { byId, h, mark } from "./dom.js";
import { recorded } from "./text.js";

const PATIENCE = 30_000;
/** The answer may be here before the event that makes it so; until then the control shows what was asked. */
const EVENTS_WITHIN = 3000;
const REMEMBERED = 200;
const wanted = new Map();
const ended = new Map();

/**
 * Ask for something. `what` names the wish, `value` is what the control shows until the state agrees;
 * an error goes into the element `said`. Resolves with the answer, or undefined when it failed.
 */
export async function ask(page, what, value, said, method, path, body) {
  const wish = { value, said, job: null, answered: false, until: Date.now() + PATIENCE };
  wanted.set(what, wish);
  byId(said).replaceChildren();
  page.refresh();
  try {
    const answer = await call(method, path, body);
    wish.answered = true;
    if (answer.job) wish.job = answer.job;
    else wish.until = Date.now() + (value === true ? 0 : EVENTS_WITHIN);
    settle();
    return answer;
  } catch (problem) {
    if (wanted.get(what) === wish) wanted.delete(what);
    showProblem(byId(said), problem);
    return undefined;
  } finally {
    page.refresh();
  }
}

/** Hear of jobs that ended; an error of one that was asked for here is shown where the click was. */
export function hearJobs(events) {
  for (const { kind, data } of events) {
    if (kind !== "job.finished" && kind !== "job.failed") continue;
    ended.set(data.job, data.error ?? null);
    if (ended.size > REMEMBERED) ended.delete(ended.keys().next().value);
  }
  settle();
}

/** What was asked for and is not yet so; undefined when nothing is. `actual` ends the wish. */
export function wish(what, actual) {
  const found = wanted.get(what);
  if (!found) return undefined;
  if ((found.answered && found.value === actual) || Date.now() >= found.until) {
    wanted.delete(what);
    return undefined;
  }
  return found.value;
}

/** A verdict box with the error and the next move. */
export function showProblem(element, problem) {
  element.replaceChildren(
    h("div", { class: "verdict is-refused", role: "alert" }, mark("refused"), h("p", {}, h("b", {}, recorded(problem.message))), h("p", {}, recorded(problem.hint))),
  );
}

/** End the wishes whose jobs have ended. */
function settle() {
  for (const [what, found] of wanted) {
    if (!ended.has(found.job)) continue;
    wanted.delete(what);
    const problem = ended.get(found.job);
    if (problem) showProblem(byId(found.said), problem);
  }
}
