/** Buttons, solutions and resets: calls of the API one after the other, each waited for before the next. */
import { call } from "./api.js";
import { alreadySo, jobSilent, waitedInVain } from "./exercise_words.js";

const JOB_WITHIN = 300_000;
const WAIT_WITHIN = 120_000;
const ASK_AGAIN = 800;
const REMEMBERED = 300;
const ended = new Map();
const waiting = new Map();

/** Hear of jobs that ended. */
export function hearDeeds(events) {
  for (const { kind, data } of events) {
    if (kind !== "job.finished" && kind !== "job.failed") continue;
    ended.set(data.job, data.error ?? null);
    if (ended.size > REMEMBERED) ended.delete(ended.keys().next().value);
    waiting.get(data.job)?.();
  }
}

/**
 * Do them in their order; `since` is where the step began. `tell(place, state, said)` hears of each: doing, done
 * or failed. Rejects with {message, hint} at the first that fails.
 */
export async function doAll(deeds, since, tell) {
  for (const [place, deed] of deeds.entries()) {
    tell(place, "doing");
    try {
      tell(place, "done", await (deed.wait ? waitFor(deed, since) : make(deed)));
    } catch (problem) {
      tell(place, "failed", problem.message);
      throw problem;
    }
  }
}

async function make({ method, path, body, optional }) {
  try {
    const answer = await call(method, path, body ?? (method === "GET" ? undefined : {}));
    if (answer.job) await endOf(answer.job);
    return "";
  } catch (problem) {
    if (optional && problem.status === 409) return alreadySo(problem.message);
    throw problem;
  }
}

function endOf(job) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(jobSilent), JOB_WITHIN);
    const finish = (problem) => {
      clearTimeout(timer);
      waiting.delete(job);
      if (problem) reject(problem);
      else resolve();
    };
    const look = () => ended.has(job) && finish(ended.get(job));
    waiting.set(job, look);
    look();
  });
}

async function waitFor({ wait, arguments: given }, since) {
  const until = Date.now() + WAIT_WITHIN;
  for (;;) {
    const { passed, expected, seen } = await call("POST", `/checks/${wait}`, { arguments: given, after: since ?? 0 });
    if (passed) return seen;
    if (Date.now() > until) throw waitedInVain(expected, seen);
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
  }
}
