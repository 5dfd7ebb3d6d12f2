/** The steps of a build, stage by stage, with their times. */
import { plainText } from "./ansi.js";
import { h, keyed, mark, s, setAttributes, setText } from "./dom.js";
import { phaseName } from "./names.js";
import { t, tn } from "./text.js";
import { seconds } from "./units.js";
import { failureStands } from "./verdict.js";

const SHAPES = { running: "spin", done: "ok", cached: "ok", failed: "refused" };
const WIDTH = 84;

/** Draw Hello-Go's last build into `list`, and where it stands into `summary`. */
export function renderSteps({ build, image }, list, summary, waited) {
  renderSummary(build, summary, waited, image ? t("built before") : t("not built yet"));
  const stages = stagesOf(build);
  const longest = Math.max(0.001, ...stages.flatMap((stage) => stage.steps.map((step) => step.seconds ?? 0)));
  keyed(list, stages, (stage) => stage.key, makeStage, (element, stage) => {
    const sum = stage.steps.reduce((total, step) => total + (step.seconds ?? 0), 0);
    setText(element.querySelector("h3 span"), seconds(sum));
    keyed(element.querySelector("ol"), stage.steps, (step) => step.number, makeStep, (row, step) => renderStep(row, step, longest));
  });
}

/** Steps in order, gathered by stage. */
function stagesOf(build) {
  const stages = [];
  const steps = Object.entries(build?.steps ?? {}).map(([number, step]) => ({ ...step, number: Number(number) }));
  for (const step of steps.sort((a, b) => a.number - b.number)) {
    if (stages.at(-1)?.name !== step.stage) stages.push({ key: `${step.number} ${step.stage}`, name: step.stage, steps: [] });
    stages.at(-1).steps.push(step);
  }
  return stages;
}

function renderSummary(build, element, waited, otherwise) {
  const count = Object.keys(build?.steps ?? {}).length;
  const total = Object.values(build?.steps ?? {}).reduce((sum, step) => sum + (step.seconds ?? 0), 0);
  const words = {
    running: [`${build?.total ? t("step %(step)s of %(total)s", { step: count, total: build.total }) : t("building")}, ${seconds(waited)}`, "spin"],
    done: [count > 0 ? tn("%(n)s step, %(time)s", "%(n)s steps, %(time)s", count, { time: seconds(total) }) : t("built"), "ok"],
    failed: [count > 0 ? t("failed at step %(step)s", { step: count }) : t("failed"), "refused"],
    cancelled: [count > 0 ? t("cancelled at step %(step)s, nothing of it is left", { step: count }) : t("cancelled"), "info"],
  };
  const [text, shape] = words[build?.phase] ?? [otherwise, "info"];
  if (element.dataset.shape !== shape) {
    element.dataset.shape = shape;
    element.replaceChildren(mark(shape), h("span"));
  }
  setText(element.lastElementChild, text);
}

/** The step that failed, opened: Go's complaints with their lines, and the builder's last words. */
export function renderFailure(hello, element) {
  const { build } = hello;
  const failed = failureStands(hello) && build.said?.length > 0;
  const key = failed ? JSON.stringify([build.complaints, build.said]) : "";
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  if (!failed) return element.replaceChildren();
  const step = Object.entries(build.steps ?? {}).find(([, one]) => one.state === "failed");
  const complaints = (build.complaints ?? []).map((one) => h("p", {}, h("b", {}, `${t("%(file)s, line %(line)s:", one)} `), one.text));
  const title = h("p", {}, h("b", {}, step ? `${t("Step %(step)s failed:", { step: step[0] })} ` : t("The build failed.")), step ? h("code", {}, step[1].instruction) : "");
  const said = h("pre", { class: "term", tabindex: "0", "aria-label": t("The builder's last words") }, build.said.map(plainText).join("\n"));
  element.replaceChildren(h("div", { class: "verdict is-refused" }, mark("refused"), title, ...complaints), said);
}

function makeStage(stage) {
  return h("li", { class: "stage-group" }, h("h3", {}, stage.name || t("before the first stage"), h("span")), h("ol"));
}

function makeStep() {
  const bar = s("svg", { class: "dur", viewBox: `0 0 ${WIDTH} 6`, preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect", { height: 6, rx: 1 }));
  return h("li", {}, h("span"), h("code"), bar, h("span", { class: "t" }));
}

function renderStep(row, step, longest) {
  const [sign, code, bar, time] = row.children;
  if (row.dataset.state !== step.state) {
    row.dataset.state = step.state;
    row.className = step.state === "running" ? "now" : "";
    const shape = mark(SHAPES[step.state] ?? "info");
    if (step.state === "cached") shape.setAttribute("class", "mark quiet");
    sign.replaceChildren(shape);
  }
  setText(code, step.instruction);
  code.title = step.instruction;
  const timed = step.state === "done" || step.state === "failed";
  setAttributes(bar.firstElementChild, { width: timed ? Math.max(2, (WIDTH * step.seconds) / longest).toFixed(1) : 0 });
  setText(time, timed ? seconds(step.seconds) : phaseName(step.state));
}
