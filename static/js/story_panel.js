/** The panel "Why did visitor 7 fail?": fetched for the chosen visitor, and again when lines of it come. */
import { call } from "./api.js";
import { showProblem } from "./ask.js";
import { byId, h, mark, setText } from "./dom.js";
import { sequence } from "./sequence.js";
import { drawSequence } from "./sequence_draw.js";
import { offerWhose, showWhose } from "./story_choice.js";
import { t, tn } from "./text.js";
import { clockSeconds } from "./units.js";

const SETTLED = 350;
/** An attempt that has just begun does not push away the one that is being read. */
const PATIENCE = 4000;
const SHAPES = { connection_unknown: "refused", circuit_unknown: "warn", page_from_elsewhere: "elsewhere", memory_unreadable: "elsewhere", no_replica: "refused" };
const HELPS = { cures: "ok", partly: "warn", no: "refused" };
const WORDS = { cures: t("Cures it:"), partly: t("Helps partly:"), no: t("Does not help:") };

/** The panel of this page; `choose(visitor)` follows a visitor in picture and log, null lets go. */
export function createStory(page, choose) {
  const panel = { page, choose, visitor: null, before: null, story: null, all: false, asked: 0, timer: null, opener: null, focus: false };
  byId("why-close").addEventListener("click", () => choose(null));
  byId("why-latest").addEventListener("click", () => openStory(panel, panel.visitor));
  byId("why-more").addEventListener("click", () => {
    panel.all = !panel.all;
    draw(panel);
  });
  byId("why").addEventListener("keydown", (event) => event.key === "Escape" && choose(null));
  byId("log-lines").addEventListener("click", (event) => fromLine(panel, event));
  offerWhose(page, (visitor) => choose(visitor || null));
  return panel;
}

/** Show the visitor's last attempt, or the one that a line of the log belongs to. Close with null. */
export function openStory(panel, visitor, before = null) {
  const fresh = visitor !== panel.visitor || before !== panel.before;
  if (visitor === null) return close(panel);
  if (panel.visitor === null) panel.opener = document.activeElement;
  Object.assign(panel, { visitor, before, all: fresh ? false : panel.all, story: fresh ? null : panel.story });
  showWhose(visitor);
  return fetchStory(panel, true);
}

/** New lines came: of the visitor that is followed, they change its story. */
export function hearStory(panel, events) {
  if (panel.visitor === null || !events.some((event) => event.data?.visitor === panel.visitor)) return;
  soon(panel, SETTLED);
}

function soon(panel, ms) {
  panel.timer ??= setTimeout(() => {
    panel.timer = null;
    if (panel.visitor !== null) fetchStory(panel, false);
  }, ms);
}

function fromLine(panel, event) {
  const line = event.target.closest("li[data-visitor]");
  if (!line || !getSelection().isCollapsed) return;
  panel.focus = event.target.closest("button") !== null;
  panel.choose(line.dataset.visitor, Number(line.dataset.seq) + 1);
}

async function fetchStory(panel, opened) {
  const asked = (panel.asked += 1);
  const query = panel.before ? `?before=${panel.before}` : "";
  try {
    const story = await call("GET", `/visitors/${encodeURIComponent(panel.visitor)}/story${query}`);
    if (asked !== panel.asked) return;
    if (!opened && justBegun(panel, story)) return soon(panel, PATIENCE / 4);
    if (story.text !== panel.story?.text || opened) {
      panel.story = story;
      draw(panel);
    }
  } catch (problem) {
    if (asked === panel.asked && (opened || panel.story === null)) fail(panel, problem);
  }
  if (opened && asked === panel.asked) shown(panel);
}

function justBegun(panel, story) {
  if (!panel.story || panel.story.outcome === "under_way" || story.outcome !== "under_way") return false;
  const begun = Date.parse(story.steps[0]?.at ?? "");
  return panel.page.now() - begun < PATIENCE;
}

function draw(panel) {
  const { story } = panel;
  const geometry = sequence(story, panel.all);
  begin(story.heading);
  setText(byId("why-when"), when(panel));
  byId("why-latest").hidden = panel.before === null;
  byId("why-sequence").replaceChildren(...(story.steps.length > 0 ? [drawSequence(geometry, `${story.heading} ${t("The same steps follow as a list.")}`)] : []));
  byId("why-steps").replaceChildren(...story.steps.map((step) => h("li", {}, step.sentence)));
  const more = byId("why-more");
  more.hidden = geometry.hidden === 0 && !panel.all;
  setText(more, panel.all ? t("Show less") : tn("Then %(n)s more step: show all", "Then %(n)s more steps: show all", geometry.hidden));
  byId("why-verdict").replaceChildren(verdictBox(story));
  byId("why-helps").hidden = story.verdict.helped.length === 0;
  byId("why-helped").replaceChildren(...story.verdict.helped.map(remedy));
  setText(byId("why-text"), story.text);
  byId("why-copy").hidden = false;
}

/** Which attempt this is: the last, or the one of a line of the log. */
function when(panel) {
  const first = panel.story.steps[0];
  if (!first) return "";
  const time = clockSeconds(first.at);
  return panel.before === null ? t("Its last attempt, %(time)s", { time }) : t("The attempt of that line, %(time)s", { time });
}

function verdictBox({ outcome, verdict }) {
  const shape = SHAPES[verdict.failure] ?? (outcome === "failed" ? "refused" : outcome === "memory_lost" ? "warn" : outcome === "connected" ? "ok" : "info");
  const tone = shape === "ok" || shape === "info" ? "" : shape === "warn" ? "is-warn" : "is-refused";
  return h(
    "div",
    { class: `verdict ${tone}` },
    mark(shape),
    h("p", {}, h("b", {}, verdict.title), ` ${verdict.reason}`),
    verdict.again ? h("p", { class: "again" }, verdict.again) : null,
  );
}

function remedy({ what, outcome, why }) {
  return h("li", { "data-outcome": outcome }, mark(HELPS[outcome]), h("p", {}, h("span", { class: "sr" }, WORDS[outcome]), " ", h("b", {}, `${what}.`), ` ${why}`));
}

function fail(panel, problem) {
  begin(t("The story of %(visitor)s", panel));
  for (const id of ["why-sequence", "why-steps", "why-helped"]) byId(id).replaceChildren();
  for (const id of ["why-more", "why-helps", "why-copy", "why-latest"]) byId(id).hidden = true;
  setText(byId("why-when"), "");
  showProblem(byId("why-verdict"), problem);
}

function begin(heading) {
  setText(byId("why-h"), heading);
  byId("why").hidden = false;
  byId("side").classList.add("has-story");
}

function close(panel) {
  const inside = byId("why").contains(document.activeElement);
  Object.assign(panel, { visitor: null, before: null, story: null, asked: panel.asked + 1 });
  byId("why").hidden = true;
  byId("side").classList.remove("has-story");
  showWhose(null);
  if (inside) (panel.opener?.isConnected ? panel.opener : byId("whose")).focus();
}

/** On a narrow page the panel is far from what was clicked; who came by a button goes on reading in it. */
function shown(panel) {
  if (panel.focus) byId("why-h").focus({ preventScroll: true });
  panel.focus = false;
  const { top, bottom } = byId("why").getBoundingClientRect();
  if (top > innerHeight * 0.8 || bottom < 0) byId("why").scrollIntoView({ block: "start" });
}
