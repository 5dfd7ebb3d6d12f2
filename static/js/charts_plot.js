/** One small chart on a canvas, drawn by uPlot: bars, dots or steps over three minutes, with bands and marks. */
import { modeName } from "./names.js";
import { number } from "./text.js";

const HEIGHT = 118;
const BAND = 18;
const AXIS = 34;

/**
 * A chart in `element`. `kind` is bars, dots or steps; `tones` are the names of the colours of its series; `unit`
 * follows the numbers of the axis.
 */
export function createPlot(element, { kind, tones, unit = "" }) {
  const plot = { element, kind, tones, unit, chart: null, seen: null, paint: null };
  new ResizeObserver(() => plot.chart && plot.chart.width !== widthOf(plot) && plot.chart.setSize({ width: widthOf(plot), height: HEIGHT })).observe(element);
  return plot;
}

/** Draw `data` (x values, then one list a series) and the bands and marks of `seen`. */
export function drawPlot(plot, data, seen, paint) {
  if (widthOf(plot) === 0) return;
  plot.seen = seen;
  if (plot.chart && (plot.paint !== paint || plot.chart.series.length !== data.length)) {
    plot.chart.destroy();
    plot.chart = null;
  }
  plot.paint = paint;
  if (plot.chart) plot.chart.setData(data);
  else plot.chart = new globalThis.uPlot(options(plot, data), data, plot.element);
}

/** A round number that nothing is above: 4, 10, 20, 50, 100. */
export function ceilingOf(most, least) {
  const need = Math.max(most, least);
  const power = 10 ** Math.floor(Math.log10(need));
  return [1, 2, 4, 5, 10].map((step) => step * power).find((value) => value >= need);
}

const widthOf = ({ element }) => Math.floor(element.clientWidth);

function options(plot, data) {
  const { uPlot } = globalThis;
  const { sans, paint } = { sans: getComputedStyle(plot.element).fontFamily, paint: plot.paint };
  const least = plot.kind === "dots" ? 2 : 4;
  return {
    width: widthOf(plot),
    height: HEIGHT,
    padding: [8, 4, BAND + 4, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: () => [plot.seen.from, plot.seen.to] },
      y: { range: (chart, low, high) => [0, ceilingOf(high ?? 0, least)] },
    },
    axes: [
      { show: false },
      { size: AXIS, gap: 4, font: `12px ${sans}`, stroke: paint["ink-3"], grid: { stroke: paint.line, width: 1 }, ticks: { show: false }, splits: (chart, axis, low, high) => [0, high / 2, high], values: (chart, splits) => splits.map((value) => `${number(Number(value.toFixed(1)))}${plot.unit}`) },
    ],
    series: [{}, ...data.slice(1).map((_, i) => series(plot, i, uPlot))],
    hooks: { drawClear: [(chart) => bands(chart, plot, sans)], draw: [(chart) => marks(chart, plot)] },
  };
}

function series({ kind, tones, paint }, i, uPlot) {
  const colour = paint[tones[i]];
  if (kind === "bars") return { fill: colour, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.86], align: 1 }) };
  if (kind === "dots") return { paths: () => null, points: { show: true, size: 6, width: 0, fill: colour, stroke: colour } };
  return { stroke: colour, width: 2, dash: i >= 8 ? [5, 3] : undefined, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) };
}

/** Which affinity was set when, under the chart; the accent says that it was on. */
function bands(chart, { seen, paint }, sans) {
  const { ctx } = chart;
  const ratio = globalThis.uPlot.pxRatio;
  const top = chart.bbox.top + chart.bbox.height + 4 * ratio;
  ctx.save();
  ctx.font = `${12 * ratio}px ${sans}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (const { from, to, mode } of seen.bands) {
    const [x, end] = [from, to].map((at) => chart.valToPos(at, "x", true));
    const on = mode !== "none";
    ctx.fillStyle = on ? paint.accent : paint.sunken;
    ctx.fillRect(x, top, Math.max(1, end - x - ratio), BAND * ratio);
    const words = modeName(mode);
    ctx.fillStyle = on ? paint["on-accent"] : paint["ink-2"];
    if (ctx.measureText(words).width < end - x - 6 * ratio) ctx.fillText(words, (x + end) / 2, top + (BAND / 2 + 0.5) * ratio);
  }
  ctx.restore();
}

/** When somebody broke something: a dotted line from top to bottom. */
function marks(chart, { seen, paint }) {
  const { ctx, bbox } = chart;
  const ratio = globalThis.uPlot.pxRatio;
  ctx.save();
  ctx.strokeStyle = paint["ink-2"];
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.beginPath();
  for (const { at } of seen.marks) {
    const x = Math.round(chart.valToPos(at, "x", true)) + 0.5;
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}

