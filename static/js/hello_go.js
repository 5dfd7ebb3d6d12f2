/** The Hello-Go page: choose and read on the left, watch on the right, call, compare and cross-compile below. */
import { call } from "./api.js";
import { ask, hearJobs, wish } from "./ask.js";
import { byId, h, mark, setText } from "./dom.js";
import { renderHeadline } from "./headline.js";
import { offerCalls, renderCalls } from "./hello_call.js";
import { renderImages } from "./hello_images.js";
import { renderProcessors } from "./hello_processors.js";
import { commandsNow, learnBases, offerChoice, renderSources } from "./hello_sources.js";
import { begin, waited } from "./live.js";
import { createOutput, hear as hearOutput, renderOutput } from "./output.js";
import { renderFailure, renderSteps } from "./steps.js";
import { recorded, t } from "./text.js";
import { helloVerdict } from "./verdict.js";

const BUTTONS = { build: ["build", "acts-said"], cancel: ["cancel", "acts-said"], "hello-launch": ["launch", "acts-said"], "hello-stop": ["stop", "acts-said"], compare: ["compare", "compare-said"], processors: ["processors", "processors-said"] };
const COMMANDS = ["build", "run", "stop", "images", "call", "load"];

let found = null;
let looked = null;

const output = createOutput(byId("output"));
const page = begin({ hear, render });
for (const [id, [verb, said]] of Object.entries(BUTTONS)) {
  byId(id).addEventListener("click", () => ask(page, id, true, said, "POST", `/hello-go/${verb}`, {}));
}
offerCalls(page);
offerChoice(page.refresh);

function hear(events) {
  hearJobs(events);
  hearOutput(output, events);
}

function render({ store, status }) {
  const state = store?.state;
  const live = status.state === "websocket" || status.state === "polling";
  byId("main").dataset.phase = state?.hello_go?.phase ?? "connecting";
  const hello = state && { ...state.hello_go, image: state.hello_go.image ?? found?.image };
  renderHeadline(helloVerdict(state && { ...state, hello_go: hello }, waited(page, "hello_go")));
  renderOutput(output);
  if (!state) return;
  look(hello);
  renderButtons(state, hello, live);
  renderSources({ state, hello, live, refresh: page.refresh });
  renderSteps(hello, byId("steps"), byId("build-state"), waited(page, "hello_go"));
  renderFailure(hello, byId("build-failure"));
  renderLimits(state.engine);
  renderCommands(hello, state.engine);
  renderCalls(hello, live);
  renderCompare(state, hello);
  renderProcessors(hello.processors, hello.platform);
}

/** Images that were built before this log began are in no event, nor are bases: the engine is asked. */
async function look(hello) {
  const key = hello.image?.id ?? "none";
  if (looked === key) return;
  looked = key;
  const answer = await call("GET", "/hello-go/images").catch(() => ({ images: [], bases: [] }));
  learnBases(answer.bases);
  const image = answer.images.find((one) => one.role === "runtime") ?? null;
  found = { image, images: answer.images };
  page.refresh();
}

function renderButtons(state, hello, live) {
  const building = hello.build?.phase === "running";
  const comparing = Boolean(hello.comparing);
  const trying = Object.values(hello.processors ?? {}).some((row) => row?.state === "building");
  const running = hello.phase === "running";
  const busy = hello.phase === "starting" || hello.phase === "stopping";
  const idle = !building && !busy && !comparing && !trying;
  const images = state.engine.name !== "local";
  const changed = running && hello.sources && hello.runs !== hello.sources;
  const can = { build: idle, cancel: building || comparing || trying, "hello-launch": (!running || changed) && idle, "hello-stop": running || hello.phase === "starting", compare: idle && images, processors: idle };
  const next = running ? "call" : "hello-launch";
  byId("cancel").hidden = !can.cancel;
  byId("build").hidden = can.cancel;
  setText(byId("hello-launch").querySelector("span"), changed ? t("Launch anew") : t("Launch"));
  for (const id of Object.keys(BUTTONS)) enable(id, live && can[id], wish(id) !== undefined);
  enable("call", live && running, wish("call") !== undefined);
  for (const id of ["call", "hello-launch"]) byId(id).classList.toggle("primary", id === next);
}

function enable(id, can, asked) {
  byId(id).disabled = !can || asked;
  byId(id).toggleAttribute("data-asked", asked);
}

/** What this engine cannot do stands where the steps would be. */
function renderLimits(engine) {
  const texts = engine.name !== "local" ? [] : [t("This is not a container: the program is compiled and runs as a process of this machine, so there are no stages and no layers to see."), ...engine.limits.map((limit) => recorded(limit.text ?? limit))];
  const element = byId("limits");
  if (element.childElementCount > 0 || texts.length === 0) return;
  element.replaceChildren(h("div", { class: "verdict is-warn" }, mark("warn"), ...texts.map((text) => h("p", {}, text))));
}

function renderCommands(hello, engine) {
  const commands = { ...hello.commands, ...commandsNow() };
  for (const name of COMMANDS) {
    const code = byId(`cmd-${name}`);
    code.parentElement.hidden = !commands[name];
    if (commands[name]) setText(code, commands[name]);
  }
  byId("hardened").hidden = engine.name === "local";
}

function renderCompare(state, hello) {
  const local = state.engine.name === "local";
  const images = Object.keys(hello.images ?? {}).length > 0 ? hello.images : byName(found?.images ?? []);
  renderImages(local ? {} : images, local ? hello.image : null);
  setText(byId("size-more"), hello.comparing ? `${recorded(hello.comparing)}…` : local ? t("Stages, layers and bases need Docker: here there is only the binary.") : t("measured here, and as the article has it"));
  if (local) setText(byId("surface-foot"), t("There is no image to read: the program runs among all of this machine's files. Start Docker to compare."));
}

const byName = (images) => Object.fromEntries(images.map((image) => [image.name, image]));
