/** A run over all of its situations: what affinity, keys and a shared store cure, in one table. */
import { h, mark } from "./dom.js";
import { AFFINITIES, KEYS, WHOSE } from "./runs_words.js";
import { t } from "./text.js";

/** The name of this view beside those of the situations. */
export const OVERVIEW = "overview";

/** Whether there is anything to see at one glance: kinds of keys beside each other. */
export const hasOverview = (run) => run.plan.keys.length > 1;

const WAYS = {
  negotiate: { affinity: "none", of: (transport) => transport !== "skip" },
  skip: { affinity: "none", of: (transport) => transport === "skip" },
  cookie: { affinity: "cookie", of: () => true },
  source_ip: { affinity: "source_ip", of: () => true },
};
const NAMES = { negotiate: t("none, with negotiate"), skip: t("none, without negotiate"), cookie: AFFINITIES.cookie, source_ip: AFFINITIES.source_ip };
/** Before these there was no memory that could be kept. */
const FIRST = new Set(["first_connect", "page_reload"]);

/** Fill the table; a click on a cell leads to its situation. */
export function drawOverview(table, run) {
  const heads = run.plan.keys.map((keys) => h("th", { scope: "col" }, KEYS[keys] ?? keys));
  table.tHead.replaceChildren(h("tr", {}, h("th", { scope: "col" }, t("what happens")), h("th", { scope: "col" }, t("affinity")), ...heads));
  table.tBodies[0].replaceChildren(...run.plan.situations.flatMap((situation) => rowsOf(run, situation)));
}

function rowsOf(run, situation) {
  const ways = Object.keys(WAYS).filter((way) => run.plan.affinities.includes(WAYS[way].affinity) && run.plan.transports.some(WAYS[way].of));
  return ways.map((way, i) => {
    const label = run.labels.situations[situation].label;
    const head = i === 0 ? h("th", { scope: "rowgroup", rowspan: ways.length }, label) : null;
    const cells = run.plan.keys.map((keys) => h("td", {}, cellOf(summed(run.cells, situation, way, keys), situation, [label, NAMES[way], KEYS[keys]])));
    return h("tr", { class: i === 0 ? "first" : null }, head, h("th", { scope: "row" }, NAMES[way]), ...cells);
  });
}

/** All visitors of the cells that this one stands for; `n` is 0 while none of them is measured. */
export function summed(cells, situation, way, keys) {
  const { affinity, of } = WAYS[way];
  const found = cells.filter((cell) => cell.situation === situation && cell.affinity === affinity && cell.keys === keys && of(cell.transport));
  const sum = (name) => found.reduce((total, { outcome }) => total + outcome[name], 0);
  return { n: sum("n"), back: sum("back"), kept: sum("kept"), lost: sum("lost"), differs: found.some(({ differs }) => differs?.length > 0) };
}

/** The shape and the words for what became of so many. Pure. */
export function verdictOf({ n, back, kept, lost }, situation) {
  if (FIRST.has(situation)) return [back === n ? "ok" : back === 0 ? "refused" : "warn", back === n ? t("works") : back === 0 ? t("nobody connects") : t("some connect")];
  if (back === 0) return ["refused", t("nobody is back")];
  if (kept === n) return ["ok", t("memory kept")];
  if (lost === n) return ["warn", t("memory lost")];
  return ["warn", back === n ? t("memory kept by some") : t("some are back")];
}

function cellOf(sum, situation, names) {
  if (sum.n === 0) return h("div", { class: "cell-of" }, h("span", { class: "rate-of" }, h("small", {}, t("not measured"))));
  const [shape, words] = verdictOf(sum, situation);
  const values = { back: sum.back, total: sum.n, kept: sum.kept };
  const some = sum.kept > 0 && sum.kept < sum.n;
  const count = some ? t("%(back)s of %(total)s back, %(kept)s with memory", values) : t("%(back)s of %(total)s", values);
  const parts = [h("span", { class: "verdict-of" }, mark(shape), words), h("small", {}, count), sum.differs ? h("small", { class: "differs" }, mark("warn"), t("differs")) : null];
  return h("button", { class: "cell-of", type: "button", "data-situation": situation, "aria-label": [...names, words, count, sum.differs ? WHOSE : null].filter(Boolean).join(", ") }, h("span", { class: "rate-of" }, ...parts));
}
