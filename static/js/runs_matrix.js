/** The table of a run, or of two runs beside each other: one cell an experiment, bars with theory's tick. */
import { h, mark, replicaClass, s } from "./dom.js";
import { AFFINITIES, brief, cellOf, counted, expectedPercent, KEYS, loadOf, percent } from "./runs_words.js";
import { recorded, t } from "./text.js";

const WIDE = 96;
const LOAD = 72;

/** Fill the table. `runs` are one or two; `chosen` is the cell that is told in words; `mode` is the lab's own. */
export function drawMatrix(table, runs, situation, chosen, mode) {
  const transports = columns(runs, "transports");
  const labels = runs[0].labels.transports;
  const heads = transports.map((name) => h("th", { scope: "col" }, labels[name]?.label ?? name));
  table.tHead.replaceChildren(h("tr", {}, h("th", { scope: "col" }, t("affinity")), ...heads, h("th", { scope: "col" }, t("connected to replica"))));
  const kinds = columns(runs, "keys");
  const rows = columns(runs, "affinities").flatMap((affinity) =>
    kinds.map((keys) => {
      const row = { situation, affinity, keys };
      const cells = transports.map((transport) => h("td", {}, experiment(runs, { ...row, transport }, chosen)));
      const name = h("th", { scope: "row" }, AFFINITIES[affinity] ?? affinity, kinds.length > 1 ? h("small", {}, KEYS[keys]) : null);
      return h("tr", { class: affinity === mode ? "now" : null }, name, ...cells, h("td", { class: "load" }, ...runs.map((run) => load(run, row, runs.length > 1))));
    }),
  );
  table.tBodies[0].replaceChildren(...rows);
}

/** In the first run's order, then what only the other has. */
const columns = (runs, what) => [...new Set(runs.flatMap((run) => run.plan[what]))];

function experiment(runs, wanted, chosen) {
  const { affinity, transport, keys } = wanted;
  const cells = runs.map((run) => cellOf(run, wanted));
  const parts = cells.map((cell, i) => figures(cell, runs.length > 1 ? runs[i] : null));
  if (!cells.some(Boolean)) return h("div", { class: "cell-of" }, ...parts);
  const on = chosen?.affinity === affinity && chosen?.transport === transport && chosen?.keys === keys;
  return h("button", { class: "cell-of", type: "button", "data-affinity": affinity, "data-transport": transport, "data-keys": keys, "aria-pressed": String(on) }, ...parts);
}

/** `named` is the run, where two stand beside each other. */
function figures(cell, named) {
  const label = named ? h("small", { class: "run-no" }, t("run %(run)s", { run: named.id })) : null;
  if (!cell) return h("span", { class: "rate-of" }, label, h("small", {}, t("not measured")));
  const { n, back, lost, seconds } = cell.outcome;
  if (n === 0) return h("span", { class: "rate-of" }, label, h("small", {}, t("nobody was there")));
  const unlike = cell.theory && (cell.theory.back < 1 || back < n);
  return h(
    "span",
    { class: "rate-of" },
    label,
    h("b", {}, String(percent(back, n)), h("i", {}, "%")),
    bar(cell, unlike),
    h("small", {}, [t("%(back)s of %(total)s", { back, total: n }), seconds && brief(seconds.median)].filter(Boolean).join(", ")),
    unlike ? h("small", {}, t("theory %(percent)s", { percent: expectedPercent(cell.theory.back) })) : null,
    cell.differs?.length > 0 ? h("small", { class: "differs", title: cell.differs.map(recorded).join(" ") }, mark("warn"), t("differs")) : null,
    lost > 0 ? h("small", { class: "lost" }, mark("warn"), t("%(n)s without memory", { n: lost })) : null,
  );
}

/** Filled: came back, green with memory (or new), amber without; hollow red: not. */
function bar({ outcome: { n, back, lost }, theory }, unlike) {
  const ok = ((back - lost) / n) * WIDE;
  const without = (lost / n) * WIDE;
  const at = theory ? Math.min(WIDE - 1, Math.max(1, theory.back * WIDE)) : 0;
  return s(
    "svg",
    { class: "rate", viewBox: `0 0 ${WIDE} 8`, "aria-hidden": "true" },
    s("rect", { class: "rate-all", x: 0.75, y: 0.75, width: WIDE - 1.5, height: 6.5, rx: 1.5 }),
    ok > 0 ? s("rect", { class: "rate-ok", width: ok, height: 8, rx: 1.5 }) : null,
    without > 0 ? s("rect", { class: "rate-lost", x: ok, width: without, height: 8, rx: 1.5 }) : null,
    unlike ? s("path", { class: "rate-theory", d: `M${at} -2v12` }) : null,
  );
}

function load(run, { situation, affinity, keys }, both) {
  const counts = Object.entries(loadOf(run.cells.filter((cell) => cell.situation === situation && cell.affinity === affinity && cell.keys === keys)));
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const label = both ? h("small", { class: "run-no" }, t("run %(run)s", { run: run.id })) : null;
  if (counts.length === 0) return h("span", { class: "rate-of" }, label);
  let x = 0;
  const parts = counts.map(([name, count]) => {
    const width = total > 0 ? (count / total) * LOAD : 0;
    const part = s("rect", { class: `seg-r ${replicaClass(name)}`, x, width: Math.max(0, width - 1.5), height: 10, rx: 1.5 });
    x += width;
    return part;
  });
  const words = total > 0 ? counts.map(([, count]) => count).join(" / ") : t("nobody");
  return h("span", { class: "rate-of", title: counted(Object.fromEntries(counts)) }, label, s("svg", { viewBox: `0 0 ${LOAD} 10`, "aria-hidden": "true" }, ...parts), h("small", {}, words));
}
