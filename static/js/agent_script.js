/** The agent-script page: a form on the left, script, diff, rehearsal and programs on the paper. */
import { asCurl, call } from "./api.js";
import { ask, hearJobs, showProblem, wish } from "./ask.js";
import { programIn } from "./agent_script_file.js";
import { PROCESSORS, SWITCHES, TARGETS, TEXTS, asQuery, asksMachine, asRequest, fromQuery, processorOf, ridOf } from "./agent_script_request.js";
import { createTerminal, hear as hearTerminal, renderTerminal } from "./agent_script_terminal.js";
import { renderAnswer, renderBinary, renderFindings } from "./agent_script_views.js";
import { previewVerdict, refusedVerdict, rehearsalVerdict } from "./agent_script_words.js";
import { byId, h, inline, mark, setText } from "./dom.js";
import { renderHeadline } from "./headline.js";
import { begin, waited } from "./live.js";
import { recorded, t } from "./text.js";

const TYPING = 120;
const form = byId("form");
const terminal = createTerminal(byId("terminal"));

let answer = null;
let request = null;
let refused = null;
let asked = 0;
let rehearseWith = "yours";
let dropped = null;
let cancelling = false;
let wasLive = false;
/** Asked for, and not yet seen to begin. */
let begins = false;
let decoded = 0;
let inspected = 0;
/** The headline is about what was done last: typing or rehearsing. */
let about = "preview";

setValues(fromQuery(location.search, values()));
const page = begin({ hear, render });
form.addEventListener("input", () => edited());
form.addEventListener("submit", (event) => event.preventDefault());
byId("rehearse").addEventListener("click", rehearse);
byId("cancel").addEventListener("click", cancel);
for (const button of byId("examples").querySelectorAll("button")) button.addEventListener("click", () => paste(button.value));
byId("link").addEventListener("click", copyLink);
byId("download").addEventListener("click", download);
offerFiles(byId("drop"), byId("file"), byId("choose-file"));
whenQuiet(byId("pasted"), decode);
preview();

// the form

function values() {
  const texts = Object.fromEntries(TEXTS.map((name) => [name, form.elements[name]?.value ?? "arm"]));
  return { ...texts, ...Object.fromEntries(SWITCHES.map((name) => [name, form.elements[name].checked])) };
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
  const asks = asksMachine(found);
  for (const input of byId("processors").querySelectorAll("input")) [input.checked, input.disabled] = [input.value === chosen, asks];
  byId("system").disabled = asks;
  byId("processor-words").replaceChildren(...inline(asks ? t("The script asks the machine that it runs on.") : PROCESSORS[found.system][chosen]));
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
  begins = true;
  const here = page.store.state.agent_script.machine.rid;
  const body = rehearseWith === "here" ? { ...asRequest(values()), rid: here } : asRequest(values());
  ask(page, "rehearse", true, "rehearsal-said", "POST", "/agent-script/rehearse", body);
}

async function cancel() {
  cancelling = true;
  cancelling = Boolean(await ask(page, "cancel", true, "rehearsal-said", "POST", "/agent-script/cancel", {}));
}

function hear(events, live) {
  hearJobs(events);
  hearTerminal(terminal, events);
  if (live && events.some((event) => event.kind === "agent_script.build_started")) about = "rehearsal";
}

function render({ store, status }) {
  const state = store?.state?.agent_script;
  const live = status.state === "websocket" || status.state === "polling";
  byId("main").dataset.phase = phaseOfTop(state);
  if (live && !wasLive && refused?.kind === "away") preview();
  wasLive = live;
  renderTop(state);
  renderTerminal(terminal);
  if (!state) return;
  renderPackages(state);
  renderButtons(state, live);
  renderOutcome(state);
  const shown = dropped ?? state.binary;
  if (byId("binary").shown !== shown) renderBinary((byId("binary").shown = shown), shown === state.binary);
}

/** The headline is about the rehearsal or about the script; it has a diamond where that one failed. */
function phaseOfTop(state) {
  if (!state) return "connecting";
  if (about === "rehearsal") return state.phase;
  return refused ? "failed" : state.phase === "failed" ? "stopped" : state.phase;
}

function renderTop(state) {
  const told = about === "rehearsal" ? rehearsalVerdict(state, waited(page, "agent_script")) : null;
  if (told) renderHeadline(told);
  else if (refused) renderHeadline(refusedVerdict(refused));
  else if (answer) renderHeadline(previewVerdict(answer, request));
}

/** Which package the script gets: the one that was asked for, or this machine's own. */
function renderPackages(state) {
  const yours = ridOf(values());
  const here = state.machine?.rid;
  const detects = asksMachine(values());
  const choices = detects ? [["yours", here ? t("%(rid)s package", { rid: here }) : t("no package")]] : [["yours", t("%(rid)s package", { rid: yours })], ...(here && here !== yours ? [["here", t("%(rid)s package", { rid: here })]] : [])];
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
  const under = state.phase === "starting" || state.phase === "running";
  if (under) begins = false;
  const busy = under || (begins && wish("rehearse", null) === true);
  const windows = values().system === "win";
  byId("rehearse").disabled = busy || !live || Boolean(refused) || windows;
  setText(byId("rehearse").lastElementChild, state.result ? t("Again") : t("Rehearse"));
  if (!under) cancelling = false;
  byId("cancel").hidden = !under;
  byId("cancel").disabled = cancelling || !live;
  setText(byId("cancel").lastElementChild, cancelling ? t("Cancelling") : t("Cancel"));
  setText(byId("rehearsal-foot"), windows ? t("A Windows script cannot be rehearsed here.") : t("Runs your script here, in a sandbox, with a package of our own: what differs from yours is the download address."));
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
  setText(byId("confined"), confined ? t("The sandbox, as it found itself: network: %(network)s; files: %(files)s; %(user)s. sudo and systemctl are the lab's.", Object.fromEntries(Object.entries(confined).map(([name, words]) => [name, recorded(words)]))) : "");
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
  const mine = (inspected += 1);
  byId("bin-said").replaceChildren(h("p", { class: "foot" }, t("Reading %(file)s …", { file: file.name })));
  try {
    const found = await call("POST", "/api/agent-script/inspect", await programIn(file));
    if (mine !== inspected) return;
    dropped = found;
    byId("bin-said").replaceChildren();
  } catch (problem) {
    if (mine === inspected) showProblem(byId("bin-said"), { ...problem, message: `${file.name}: ${problem.message}` });
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
  const mine = (decoded += 1);
  const text = byId("pasted").value;
  try {
    const { findings } = await call("POST", "/api/agent-script/decode", { text });
    if (mine === decoded) renderFindings(text.trim(), findings);
  } catch (problem) {
    if (mine === decoded) showProblem(byId("findings"), problem);
  }
}

function paste(text) {
  byId("pasted").value = text;
  decode();
}
