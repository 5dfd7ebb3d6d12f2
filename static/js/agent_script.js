/** The agent-script page: a form on the left, script, diff, rehearsal and programs on the paper. */
import { asCurl, call } from "./api.js";
import { ask, hearJobs, showProblem, wish } from "./ask.js";
import { programIn } from "./agent_script_file.js";
import { PROCESSORS, TARGETS, asQuery, asRequest, fromQuery, processorOf, ridOf } from "./agent_script_request.js";
import { createTerminal, hear as hearTerminal, renderTerminal } from "./agent_script_terminal.js";
import { renderAnswer, renderBinary, renderFindings } from "./agent_script_views.js";
import { previewVerdict, rehearsalVerdict } from "./agent_script_words.js";
import { byId, h, mark, setText } from "./dom.js";
import { renderHeadline } from "./headline.js";
import { begin, waited } from "./live.js";

const TYPING = 120;
const form = byId("form");
const terminal = createTerminal(byId("terminal"));

let answer = null;
let request = null;
let refused = null;
let asked = 0;
let rehearseWith = "yours";
let dropped = null;
/** The headline is about what was done last: typing or rehearsing. */
let about = "preview";

setValues(fromQuery(location.search, values()));
const page = begin({ hear, render });
form.addEventListener("input", () => edited());
form.addEventListener("submit", (event) => event.preventDefault());
byId("rehearse").addEventListener("click", rehearse);
byId("cancel").addEventListener("click", () => ask(page, "cancel", true, "rehearsal-said", "POST", "/agent-script/cancel", {}));
byId("link").addEventListener("click", copyLink);
byId("download").addEventListener("click", download);
offerFiles(byId("drop"), byId("file"), byId("choose-file"));
whenQuiet(byId("pasted"), decode);
preview();

// the form

function values() {
  const data = new FormData(form);
  const texts = Object.fromEntries([...data].map(([name, value]) => [name, String(value)]));
  const switches = Object.fromEntries(["service", "detect", "replace"].map((name) => [name, form.elements[name].checked]));
  return { processor: "arm", ...texts, ...switches };
}

function setValues(found) {
  for (const [name, value] of Object.entries(found)) {
    const field = form.elements[name];
    if (!field || name === "processor") continue;
    if (typeof value === "boolean") field.checked = value;
    else field.value = value;
  }
  renderForm(found);
}

/** What depends on other choices: processors of the system, project and tags, the name's label. */
function renderForm(found) {
  const chosen = processorOf(found);
  const offered = Object.keys(PROCESSORS[found.system]);
  const shown = [...byId("processors").querySelectorAll("input")].map((input) => input.value);
  if (shown.join() !== offered.join()) {
    byId("processors").replaceChildren(...offered.map((name) => h("label", {}, h("input", { type: "radio", name: "processor", value: name }), name)));
  }
  for (const input of byId("processors").querySelectorAll("input")) input.checked = input.value === chosen;
  setText(byId("processor-words"), PROCESSORS[found.system][chosen]);
  setText(byId("name-label"), TARGETS[found.kind].label);
  byId("of-project").hidden = !TARGETS[found.kind].project;
  byId("detect").disabled = found.system === "win";
}

let typing = null;
function edited() {
  about = "preview";
  rehearseWith = "yours";
  renderForm(values());
  clearTimeout(typing);
  typing = setTimeout(preview, TYPING);
}

/** Ask for the script; an answer that comes after a later question is dropped. */
async function preview() {
  const mine = (asked += 1);
  const wanted = asRequest(values());
  try {
    const found = await call("POST", "/api/agent-script", wanted);
    if (mine !== asked) return;
    [answer, request, refused] = [found, wanted, null];
    renderAnswer(answer, request);
    renderCurl();
  } catch (problem) {
    if (mine !== asked) return;
    refused = problem;
  }
  showRefusal();
  page.refresh();
}

function showRefusal() {
  const stale = Boolean(refused);
  for (const id of ["copy", "download", "link"]) byId(id).disabled = stale;
  for (const id of ["script", "differs"]) byId(id).classList.toggle("stale", stale);
  byId("differs").hidden = !answer || answer.diff.length === 0;
  if (stale) showProblem(byId("refusal"), refused);
  else byId("refusal").replaceChildren();
}

function renderCurl() {
  const curl = asCurl({ method: "POST", path: "/api/agent-script", body: request });
  setText(byId("curl"), `${curl} | python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["script"])'`);
}

function copyLink() {
  history.replaceState(null, "", `?${asQuery(values())}`);
  byId("link-text")?.remove();
  document.body.append(h("span", { id: "link-text", class: "sr", "aria-hidden": "true" }, location.href));
  const button = byId("link");
  button.dataset.copy = "link-text";
}

function download() {
  const address = URL.createObjectURL(new Blob([answer.script], { type: "text/plain" }));
  const link = h("a", { href: address, download: answer.file, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  URL.revokeObjectURL(address);
}

// the rehearsal

function rehearse() {
  about = "rehearsal";
  dropped = null;
  const here = page.store.state.agent_script.machine.rid;
  const body = rehearseWith === "here" ? { ...asRequest(values()), rid: here } : asRequest(values());
  ask(page, "rehearse", true, "rehearsal-said", "POST", "/agent-script/rehearse", body);
}

function hear(events, live) {
  hearJobs(events);
  hearTerminal(terminal, events);
  if (live && events.some((event) => event.kind === "agent_script.build_started")) about = "rehearsal";
}

function render({ store, status }) {
  const state = store?.state?.agent_script;
  const live = status.state === "websocket" || status.state === "polling";
  byId("main").dataset.phase = state?.phase ?? "connecting";
  renderTop(state);
  renderTerminal(terminal);
  if (!state) return;
  renderPackages(state);
  renderButtons(state, live);
  renderOutcome(state);
  const shown = dropped ?? state.binary;
  if (byId("binary").shown !== shown) renderBinary((byId("binary").shown = shown), shown === state.binary);
}

function renderTop(state) {
  const told = about === "rehearsal" ? rehearsalVerdict(state, waited(page, "agent_script")) : null;
  if (told) renderHeadline(told);
  else if (refused) renderHeadline({ tone: "refused", title: "There is no such script", more: `${refused.message} ${refused.hint}` });
  else if (answer) renderHeadline(previewVerdict(answer, request));
}

/** Which package the script gets: the one that was asked for, or this machine's own. */
function renderPackages(state) {
  const yours = ridOf(values());
  const here = state.machine?.rid;
  const detects = values().detect;
  const choices = detects ? [["yours", `${here ?? "no"} package`]] : [["yours", `${yours} package`], ...(here && here !== yours ? [["here", `${here} package`]] : [])];
  const text = choices.map(([, words]) => words).join();
  const group = byId("packages");
  if (group.dataset.text !== text) {
    group.dataset.text = text;
    group.replaceChildren(...choices.map(([which, words]) => chip(which, words)));
  }
  for (const one of group.children) one.setAttribute("aria-pressed", String(one.value === rehearseWith));
}

function chip(which, words) {
  const button = h("button", { class: "chip", type: "button", value: which }, words);
  button.addEventListener("click", () => {
    rehearseWith = which;
    page.refresh();
  });
  return button;
}

function renderButtons(state, live) {
  const busy = state.phase === "starting" || state.phase === "running" || wish("rehearse", null) === true;
  const windows = values().system === "win";
  byId("rehearse").disabled = busy || !live || Boolean(refused) || windows;
  setText(byId("rehearse").lastElementChild, state.result ? "Again" : "Rehearse");
  byId("cancel").hidden = !(state.phase === "starting" || state.phase === "running");
  setText(byId("rehearsal-foot"), windows ? "A Windows script cannot be rehearsed here." : "Runs your script here, in a sandbox, with a package of our own: what differs from yours is the download address.");
}

function renderOutcome(state) {
  const element = byId("rehearsal-verdict");
  const told = rehearsalVerdict(state, waited(page, "agent_script"));
  const key = told ? `${told.tone} ${told.title}` : "";
  if (element.dataset.key !== key) {
    element.dataset.key = key;
    const tone = { ok: "is-ok", refused: "is-refused", warn: "is-warn" }[told?.tone] ?? "";
    const shape = told?.tone === "busy" ? "spin" : told?.tone;
    element.replaceChildren(...(told ? [h("div", { class: `verdict ${tone}` }, mark(shape), h("p", {}, h("b", {}, `${told.title}. `), told.more))] : []));
  }
  const { confined } = state;
  setText(byId("confined"), confined ? `The sandbox, as it found itself: network: ${confined.network}; files: ${confined.files}; ${confined.user}. sudo and systemctl are the lab's.` : "");
}

// programs and errors

function offerFiles(area, input, button) {
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => input.files[0] && inspect(input.files[0]));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    area.addEventListener(kind, (event) => {
      event.preventDefault();
      area.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) inspect(event.dataTransfer.files[0]);
    });
  }
}

async function inspect(file) {
  byId("bin-said").replaceChildren();
  try {
    dropped = await call("POST", "/api/agent-script/inspect", await programIn(file));
  } catch (problem) {
    showProblem(byId("bin-said"), problem);
  }
  byId("file").value = "";
  page.refresh();
}

function whenQuiet(field, act) {
  let timer = null;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(act, TYPING);
  });
}

async function decode() {
  const text = byId("pasted").value;
  const { findings } = await call("POST", "/api/agent-script/decode", { text }).catch(() => ({ findings: [] }));
  renderFindings(text.trim(), findings);
}
