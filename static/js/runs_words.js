/** A run in words and figures: never a share without its n. Pure. */
import { algorithmName } from "./names.js";
import { LANGUAGE, number, recorded, t, tn } from "./text.js";
import { seconds, sentence } from "./units.js";

export const AFFINITIES = { none: t("none"), cookie: t("cookie"), source_ip: t("source IP") };
/** Who can read what a replica signed. */
export const KEYS = { own: t("own keys"), shared: t("shared keys"), store: t("keys and memories in Redis") };
/** Said of a cell that is not as documented. */
export const WHOSE = t("differs from what is documented");
const PHASES = { cancelled: t("cancelled"), failed: t("failed"), cut_off: t("cut off when the dashboard ended") };

/** `Run 14: who came back after a drop`. */
export const titleOf = (run, situation) => t("Run %(run)s: %(title)s", { run: run.id, title: run.labels.situations[situation]?.title ?? t("what cures what") });

const UNDER_WAY = { waiting: t("waiting"), measuring: t("measuring") };
const ENDED = new Set(["replica_death", "replica_stop", "drain"]);

/** What every cell of the run has in common. */
export function factsOf({ plan }, situation) {
  const parts = [tn("%(n)s visitor a cell", "%(n)s visitors a cell", plan.n), tn("%(n)s replica", "%(n)s replicas", plan.replicas), algorithmName(plan.algorithm), t("%(name)s engine", { name: plan.engine })];
  if (plan.app === "blazor") parts.push("Blazor Server");
  if (plan.keys.length === 1 && plan.keys[0] !== "own") parts.push(KEYS[plan.keys[0]]);
  if (ENDED.has(situation)) parts.push(t("only those on the replica that ended are counted"));
  if (situation === "drop" || ENDED.has(situation)) parts.push(plan.attempts === 1 ? t("first try") : t("first %(n)s tries", { n: plan.attempts }));
  return `${parts.join(", ")}.`;
}

/** `Run 14, 19:20, 20 visitors`, for a list to choose from. */
export function choiceOf({ id, asked_at: at, plan, phase }, clock) {
  const ended = phase === "finished" ? "" : `, ${PHASES[phase] ?? UNDER_WAY[phase] ?? phase}`;
  return `${id}, ${clock(at)}, n ${plan.n}, ${tn("%(n)s replica", "%(n)s replicas", plan.replicas)}${ended}`;
}

/** Why a run has not all of its cells; empty for one that has. */
export function endedWords({ phase, plan, cells, error }) {
  if (!PHASES[phase]) return "";
  const total = plan.affinities.length * plan.transports.length * plan.situations.length * plan.keys.length;
  const values = { ended: sentence(PHASES[phase]), done: cells.length };
  const words = tn("%(ended)s after %(done)s of %(n)s cell; what was measured is kept.", "%(ended)s after %(done)s of %(n)s cells; what was measured is kept.", total, values);
  return error ? `${words} ${recorded(error.message)}` : words;
}

/** Whole percent of a count; null of nobody. */
export const percent = (count, n) => (n > 0 ? Math.round((count / n) * 100) : null);

/** An expected share as percent; small ones are not rounded to nothing. */
export function expectedPercent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.1) return `< ${number(0.1, 1)} %`;
  return value > 0 && value < 10 ? `${number(value, 1)} %` : `${Math.round(value)} %`;
}

/** The cell of a run, if it was measured. */
export const cellOf = (run, wanted) => run.cells.find((cell) => ["situation", "affinity", "transport", "keys"].every((name) => cell[name] === wanted[name]));

const CAME = {
  first_connect: (values) => t("%(back)s of %(total)s connected", values),
  page_reload: (values) => t("%(back)s of %(total)s connected again", values),
};

/** What happened in a cell, sentence by sentence. */
export function storyOf({ situation, outcome, theory, differs = [] }, plan) {
  const { n, back, kept, lost, failed, away, seconds: took } = outcome;
  const came = CAME[situation] ?? ((values) => t("%(back)s of %(total)s came back", values));
  const parts = [came({ back, total: n })];
  if (kept > 0) parts.push(t("%(n)s with their memory", { n: kept }));
  if (lost > 0) parts.push(kept > 0 ? t("%(n)s without it", { n: lost }) : lost === back && back > 1 ? t("all without their memory") : t("%(n)s without their memory", { n: lost }));
  if (failed > 0) parts.push(t("%(n)s gave up", { n: failed }));
  if (away > 0) parts.push(tn("%(n)s was not back after %(tries)s", "%(n)s were not back after %(tries)s", away, { n: away, tries: tn("%(n)s try", "%(n)s tries", plan.attempts) }));
  const sentences = [`${parts.join(", ")}.`];
  if (took) sentences.push(t("It took %(median)s in the middle, %(slowest)s at most.", { median: brief(took.median), slowest: brief(took.slowest) }));
  const unlike = differs.map(recorded);
  if (!theory) return [...sentences, noNumber(plan), ...unlike];
  const values = { percent: expectedPercent(theory.back), total: n, kept: expectedPercent(theory.kept) };
  const expects = theory.kept > 0 && theory.kept < theory.back ? t("Theory expects %(percent)s of %(total)s, %(kept)s with memory.", values) : t("Theory expects %(percent)s of %(total)s.", values);
  return [...sentences, expects, recorded(theory.why), ...unlike];
}

function noNumber({ app, algorithm }) {
  if (app !== "blazor" || algorithm === "least_request") return t("Theory has no number for least request: it depends on what is open where.");
  return t("Theory has no number here: Blazor's script sends as many messages as there is to draw.");
}

/** How many of these cells differ from what is documented, in one sentence. */
export function differWords(cells) {
  const count = cells.filter(({ differs }) => differs?.length > 0).length;
  if (count === 0) return "";
  return tn("One cell differs from what is documented by more than chance; a click on it says how.", "%(n)s cells differ from what is documented by more than chance; a click on one says how.", count);
}

/** `0.05 s`, `2.1 s`. */
export const brief = (value) => (value < 1 ? `${number(value, 2)} s` : seconds(value));

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
  if (value < 8) return t("a few seconds");
  if (value < 90) return t("about %(n)s seconds", { n: Math.round(value / 5) * 5 });
  return tn("about %(n)s minute", "about %(n)s minutes", Math.round(value / 60));
}

/** How long the chosen situations take, roughly, with so many kinds of keys; an absence needs replicas that keep memories briefly. */
export function roughly(offer, wanted, n, kinds = 1) {
  const cells = offer.situations.filter(({ name }) => wanted.has(name)).reduce((sum, each) => sum + each.seconds + each.seconds_each * n, 0);
  const stages = kinds * (wanted.has("away") && wanted.size > 1 ? 2 : 1);
  return cells * kinds + (stages - 1) * offer.restart_seconds;
}

/** What the run of the state is at; `read` is the run itself, once it is known; `elapsed` seconds have passed since it said how much is left. */
export function progressOf(run, read, elapsed) {
  if (run.phase === "putting_back") return t("Putting the lab back as it was.");
  const values = { number: Math.min(run.done + 1, run.total), total: run.total };
  const cell = run.cell ? t("Measuring cell %(number)s of %(total)s: %(cell)s.", { ...values, cell: cellWords(run.cell, read?.labels, read?.plan.keys.length > 1) }) : t("Measuring cell %(number)s of %(total)s.", values);
  return `${cell} ${sentence(t("%(time)s left.", { time: about(Math.max(0, run.seconds_left - elapsed)) }))}`;
}

/** `none, Long polling, reconnect after drop`; with the keys where a run has several. */
export function cellWords({ affinity, transport, situation, keys }, labels, withKeys = false) {
  const transportLabel = labels?.transports[transport]?.label ?? transport;
  const happens = labels?.situations[situation]?.label ?? situation.replaceAll("_", " ");
  return [AFFINITIES[affinity] ?? affinity, transportLabel, withKeys ? KEYS[keys] : null, lowered(happens)].filter(Boolean).join(", ");
}

/** German nouns keep their capital. */
const lowered = (text) => (LANGUAGE === "de" ? text : text.toLowerCase());
