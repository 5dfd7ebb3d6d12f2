/** A run in words and figures: never a share without its n. Pure. */
import { plural, seconds } from "./units.js";

export const AFFINITIES = { none: "none", cookie: "cookie", source_ip: "source IP" };
const PHASES = { cancelled: "Cancelled", failed: "Failed", cut_off: "Cut off when the dashboard ended" };
const ALGORITHMS = { round_robin: "round robin", least_request: "least request", random: "random" };

/** `Run 14: who came back after a drop`. */
export const titleOf = (run, situation) => `Run ${run.id}: ${run.labels.situations[situation]?.title ?? situation}`;

/** What every cell of the run has in common. */
export function factsOf({ plan }, situation) {
  const parts = [`${plural(plan.n, "visitor")} a cell`, plural(plan.replicas, "replica"), ALGORITHMS[plan.algorithm] ?? plan.algorithm, `${plan.engine} engine`];
  if (plan.app === "blazor") parts.push("Blazor Server");
  if (plan.shared_keys) parts.push("page keys shared");
  if (situation === "replica_death") parts.push("only those on the dead replica are counted");
  if (situation === "drop" || situation === "replica_death") parts.push(plan.attempts === 1 ? "first try" : `first ${plan.attempts} tries`);
  return `${parts.join(", ")}.`;
}

/** `Run 14, 19:20, 20 visitors`, for a list to choose from. */
export function choiceOf({ id, asked_at: at, plan, phase }, clock) {
  const ended = phase === "finished" ? "" : `, ${PHASES[phase]?.toLowerCase() ?? phase}`;
  return `${id}, ${clock(at)}, n ${plan.n}, ${plural(plan.replicas, "replica")}${ended}`;
}

/** Why a run has not all of its cells; empty for one that has. */
export function endedWords({ phase, plan, cells, error }) {
  if (!PHASES[phase]) return "";
  const total = plan.affinities.length * plan.transports.length * plan.situations.length;
  const why = error ? ` ${error.message}` : "";
  return `${PHASES[phase]} after ${cells.length} of ${plural(total, "cell")}; what was measured is kept.${why}`;
}

/** Whole percent of a count; null of nobody. */
export const percent = (count, n) => (n > 0 ? Math.round((count / n) * 100) : null);

/** An expected share as percent; small ones are not rounded to nothing. */
export function expectedPercent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.1) return "< 0.1 %";
  return value > 0 && value < 10 ? `${value.toFixed(1)} %` : `${Math.round(value)} %`;
}

/** The cell of a run, if it was measured. */
export const cellOf = (run, situation, affinity, transport) =>
  run.cells.find((cell) => cell.situation === situation && cell.affinity === affinity && cell.transport === transport);

const NO_NUMBER = {
  least_request: "Theory has no number for least request: it depends on what is open where.",
  blazor: "Theory has no number here: Blazor's script sends as many messages as there is to draw.",
};
const CAME = { first_connect: "connected", page_reload: "connected again" };

/** What happened in a cell, sentence by sentence. */
export function storyOf({ situation, outcome, theory, differs = [] }, plan) {
  const { n, back, kept, lost, failed, away, seconds: took } = outcome;
  const parts = [`${back} of ${n} ${CAME[situation] ?? "came back"}`];
  if (kept > 0) parts.push(`${kept} with their memory`);
  if (lost > 0) parts.push(kept > 0 ? `${lost} without it` : `${lost === back && back > 1 ? "all" : lost} without their memory`);
  if (failed > 0) parts.push(`${failed} gave up`);
  if (away > 0) parts.push(`${away} ${away === 1 ? "was" : "were"} not back after ${plural(plan.attempts, "try", "tries")}`);
  const sentences = [`${parts.join(", ")}.`];
  if (took) sentences.push(`It took ${brief(took.median)} in the middle, ${brief(took.slowest)} at most.`);
  if (!theory) return [...sentences, NO_NUMBER[plan.app === "blazor" && plan.algorithm !== "least_request" ? "blazor" : "least_request"], ...differs];
  const memory = situation === "drop" && theory.kept < theory.back ? `, ${expectedPercent(theory.kept)} with memory` : "";
  return [...sentences, `Theory expects ${expectedPercent(theory.back)} of ${n}${memory}. ${theory.why}`, ...differs];
}

/** How many of these cells differ from what is documented, in one sentence. */
export function differWords(cells) {
  const count = cells.filter(({ differs }) => differs?.length > 0).length;
  if (count === 0) return "";
  return `${count === 1 ? "One cell differs" : `${count} cells differ`} from what is documented by more than chance; a click on it says how.`;
}

/** `0.05 s`, `2.1 s`. */
export const brief = (value) => (value < 1 ? `${value.toFixed(2)} s` : seconds(value));

/** `replica-1 312, replica-2 310`. */
export const counted = (counts) => Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ");

/** Visitors per replica at the end, over all cells of a row. */
export function loadOf(cells) {
  const sum = {};
  for (const { outcome } of cells) for (const [name, count] of Object.entries(outcome.load)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

/** The one replica that has everybody although there are more; null when it is not so. */
export function allOnOne(cells) {
  const load = Object.entries(loadOf(cells));
  const full = load.filter(([, count]) => count > 0);
  return load.length > 1 && full.length === 1 ? full[0][0] : null;
}

/** `about 40 seconds`, `about 2 minutes`. */
export function about(value) {
  if (value < 8) return "a few seconds";
  if (value < 90) return `about ${Math.round(value / 5) * 5} seconds`;
  return `about ${plural(Math.round(value / 60), "minute")}`;
}

/** How long the chosen situations take, roughly. */
export const roughly = (offer, wanted, n) =>
  offer.situations.filter(({ name }) => wanted.has(name)).reduce((sum, each) => sum + each.seconds + each.seconds_each * n, 0);

/** What the run of the state is at; `elapsed` seconds have passed since it said how much is left. */
export function progressOf(run, labels, elapsed) {
  if (run.phase === "putting_back") return "Putting the lab back as it was.";
  const cell = run.cell ? `: ${cellWords(run.cell, labels)}` : "";
  const left = Math.max(0, run.seconds_left - elapsed);
  return `Measuring cell ${Math.min(run.done + 1, run.total)} of ${run.total}${cell}. ${about(left).replace(/^a/, "A")} left.`;
}

/** `none, Long polling, reconnect after drop`. */
export function cellWords({ affinity, transport, situation }, labels) {
  const transportLabel = labels?.transports[transport]?.label ?? transport;
  const happens = labels?.situations[situation]?.label ?? situation.replaceAll("_", " ");
  return `${AFFINITIES[affinity] ?? affinity}, ${transportLabel}, ${happens.toLowerCase()}`;
}
