/** The Hello-Go page: sources on the left; build steps, output and the call on the right. */
import { call } from "./api.js";
import { ask, hearJobs, wish } from "./ask.js";
import { byId, h, keyed, mark, setText } from "./dom.js";
import { renderHeadline } from "./headline.js";
import { begin, waited } from "./live.js";
import { createOutput, hear as hearOutput, renderOutput } from "./output.js";
import { annotate } from "./sources.js";
import { renderSteps } from "./steps.js";
import { megabytes, milliseconds } from "./units.js";
import { helloVerdict } from "./verdict.js";

const BUTTONS = { build: "build", "hello-launch": "launch", call: "call", "hello-stop": "stop" };

let found = null;
let looked = false;

const output = createOutput(byId("output"));
const page = begin({ hear, render });
annotate();
for (const [id, verb] of Object.entries(BUTTONS)) {
  byId(id).addEventListener("click", () => ask(page, id, true, "acts-said", "POST", `/hello-go/${verb}`, {}));
}

function hear(events) {
  hearJobs(events);
  hearOutput(output, events);
}

function render({ store, status }) {
  const state = store?.state;
  const live = status.state === "websocket" || status.state === "polling";
  byId("main").dataset.phase = state?.hello_go?.phase ?? "connecting";
  const hello = state && { ...state.hello_go, image: state.hello_go.image ?? found };
  renderHeadline(helloVerdict(state && { ...state, hello_go: hello }, waited(page, "hello_go")));
  renderOutput(output);
  if (!state) return;
  if (!hello.image) lookForImage();
  renderButtons(hello, live);
  renderSteps(hello, byId("steps"), byId("build-state"), waited(page, "hello_go"));
  renderImage(hello.image);
  renderLimits(state.engine);
  renderCommands(hello);
  renderCall(hello.calls?.last);
}

/** An image that was built before this log began is in no event; the engine is asked for it, once. */
async function lookForImage() {
  if (looked) return;
  looked = true;
  const { images } = await call("GET", "/hello-go/images").catch(() => ({ images: [] }));
  found = images.find((image) => image.role === "runtime") ?? null;
  page.refresh();
}

function renderButtons(hello, live) {
  const building = hello.build?.phase === "running";
  const running = hello.phase === "running";
  const busy = hello.phase === "starting" || hello.phase === "stopping";
  const can = { build: !building && !busy, "hello-launch": !running && !busy && !building, call: running, "hello-stop": running || hello.phase === "starting" };
  const next = running ? "call" : "hello-launch";
  for (const id of Object.keys(BUTTONS)) {
    const asked = wish(id) !== undefined;
    byId(id).disabled = !live || !can[id] || asked;
    byId(id).toggleAttribute("data-asked", asked);
    byId(id).classList.toggle("primary", id === next);
  }
}

function renderImage(image) {
  const element = byId("image");
  element.hidden = !image;
  if (!image || element.dataset.size === String(image.size)) return;
  element.dataset.size = image.size;
  const standIn = image.stand_in ? "its base is a stand-in, made on this machine" : "";
  element.replaceChildren(h("b", {}, megabytes(image.size)), h("code", {}, image.tag), h("small", {}, standIn));
}

/** What this engine cannot do stands where the steps would be. */
function renderLimits(engine) {
  const texts = engine.name === "docker" ? [] : ["This is not a container: the program is compiled and runs as a process of this machine, so there are no stages and no layers to see.", ...engine.limits.map((limit) => limit.text ?? limit)];
  const element = byId("limits");
  if (element.childElementCount > 0 || texts.length === 0) return;
  element.replaceChildren(h("div", { class: "verdict is-warn" }, mark("warn"), ...texts.map((text) => h("p", {}, text))));
}

function renderCommands(hello) {
  const commands = { ...hello.commands };
  if (hello.url) commands.call = `curl -i ${hello.url}`;
  for (const name of ["build", "run", "call"]) {
    const code = byId(`cmd-${name}`);
    code.parentElement.hidden = !commands[name];
    if (commands[name]) setText(code, commands[name]);
  }
}

function renderCall(last) {
  const element = byId("call-result");
  element.hidden = !last;
  const text = last ? `${last.status}, ${last.body.trim()}, ${milliseconds(last.ms)}` : "";
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  element.replaceChildren(...(last ? [mark(last.status < 400 ? "ok" : "refused"), h("span", {}, text)] : []));
}
