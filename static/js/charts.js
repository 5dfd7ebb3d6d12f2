/** The charts under the picture: reconnects by outcome, time to recover, connections per replica. */
import { call } from "./api.js";
import { onPaint, paintOf } from "./canvas_paint.js";
import { count, createCounts, KINDS, look, median, sentenceOf, SPAN, STEP, sum, thinned } from "./charts_data.js";
import { createPlot, drawPlot } from "./charts_plot.js";
import { byId, h, keyed, replicaClass, setText, swatch } from "./dom.js";
import { numberOf, replicasInOrder } from "./store.js";
import { t } from "./text.js";
import { clockSeconds, grouped, seconds } from "./units.js";

const PAGE = 2000;
const MOST_PAGES = 10;
const GAP = 1000;
const NAMES = ["ok", "warn", "refused", "ink", "ink-2", "ink-3", "line", "sunken", "accent", "on-accent", ...Array.from({ length: 8 }, (_, i) => `replica-${i + 1}`)];
const ONE = [["refused", "bars", ["refused"]], ["lost", "bars", ["warn"]], ["kept", "bars", ["ok"]], ["times", "dots", ["ink"], " s"]];

/** The charts of this page; `page` is what live.js keeps. */
export function createCharts(page) {
  const charts = { page, counts: createCounts(), waiting: [], begun: false, plots: {}, paint: null, drawn: 0, key: "", seen: true, timer: null };
  for (const [name, kind, tones, unit] of ONE) charts.plots[name] = createPlot(byId(`plot-${name}`), { kind, tones, unit });
  charts.plots.live = createPlot(byId("plot-live"), { kind: "steps", tones: [] });
  onPaint(() => (charts.paint = null));
  new IntersectionObserver(([entry]) => (charts.seen = entry.isIntersecting) && page.refresh()).observe(byId("charts"));
  return charts;
}

/** New events came. Those of the three minutes before the first are fetched once, and counted before it. */
export function hearCharts(charts, events) {
  if (events.length === 0) return;
  if (charts.waiting === null) count(charts.counts, events);
  else charts.waiting.push(...events);
  if (charts.begun) return;
  charts.begun = true;
  const goOn = () => {
    count(charts.counts, charts.waiting);
    charts.waiting = null;
    charts.page.refresh();
  };
  fetchPast(charts, Date.parse(events.at(-1).at)).then(goOn, goOn); // without its past where that cannot be had
}

/** Draw what is new, at most once a second, and nothing while nobody looks. */
export function renderCharts(charts, state) {
  const section = byId("charts");
  const replicas = replicasInOrder(state);
  section.hidden = replicas.length === 0;
  if (section.hidden || !charts.seen || charts.waiting !== null) return;
  const now = charts.page.now() / 1000;
  const key = [charts.counts.seq, Math.floor(now / STEP), replicas.map(({ name, connections }) => `${name}=${connections}`)].join();
  if (key === charts.key && charts.paint) return;
  if (performance.now() - charts.drawn < GAP) {
    charts.timer ??= setTimeout(() => {
      charts.timer = null;
      charts.page.refresh();
    }, GAP);
    return;
  }
  charts.paint ??= paintOf(section, NAMES);
  charts.drawn = performance.now();
  charts.key = key;
  draw(charts, look(charts.counts, now, state.replicas), replicas.map(({ name }) => name));
}

function draw(charts, seen, names) {
  const { plots, paint } = charts;
  for (const name of ["refused", "lost", "kept"]) {
    setText(byId(`sum-${name}`), grouped(sum(seen.bars[name])));
    drawPlot(plots[name], [seen.xs, seen.bars[name].map((number) => number || null)], seen, paint);
  }
  const times = seen.times.map(([, each]) => each);
  setText(byId("sum-times"), times.length > 0 ? seconds(median(times)) : "–");
  const dots = thinned(seen.times);
  drawPlot(plots.times, [dots.map(([at]) => at), dots.map(([, each]) => each)], seen, paint);
  plots.live.tones = names.map((name) => `replica-${((numberOf(name) - 1) % 8) + 1}`);
  drawPlot(plots.live, [[...seen.xs, seen.to], ...names.map((name) => [...seen.live[name], seen.live[name].at(-1)])], seen, paint);
  keyed(byId("live-names"), names, (name) => name, (name) => h("li", {}, swatch(name), h("span", {}, name), h("b", {})), (item, name) => setText(item.lastElementChild, grouped(seen.live[name].at(-1) ?? 0)));
  renderWords(seen);
}

function renderWords(seen) {
  const happened = sum(seen.bars.refused) + sum(seen.bars.lost) + sum(seen.bars.kept) + seen.times.length > 0;
  const marks = seen.marks.slice(-3).map(({ at, words }) => `${words} ${clockSeconds(new Date(at * 1000).toISOString())}`);
  setText(byId("charts-note"), marks.join(" · ") || (happened ? "" : t("Nobody was refused or came back. Drop the connections, and look here.")));
  setText(byId("charts-said"), sentenceOf(seen));
}

async function fetchPast(charts, newest) {
  const since = new Date(newest - SPAN * 1000).toISOString();
  const kinds = `kind=${KINDS.join()}&limit=${PAGE}`;
  let address = `/events?at=${since}&${kinds}`;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { events } = await call("GET", address);
    if (page === 0 && events.length > 0) await fetchMode(charts, events[0].seq);
    count(charts.counts, events);
    if (events.length < PAGE) return;
    address = `/events?after=${events.at(-1).seq}&${kinds}`;
  }
}

/** Which affinity was set when the three minutes began. */
async function fetchMode(charts, before) {
  const { events } = await call("GET", `/events?kind=affinity.changed,endpoints.changed&before=${before}&limit=1`);
  const mode = events[0]?.patch?.balancer?.affinity?.mode;
  if (mode) charts.counts.modes.push({ at: Date.parse(events[0].at) / 1000, mode });
}
