/** The sources that would be built now, and what may be chosen about them: the server renders, this shows. */
import { call } from "./api.js";
import { showProblem } from "./ask.js";
import { byId, h, mark } from "./dom.js";
import { t } from "./text.js";

const FIELDS = ["greeting", "port", "stages", "base", "flags", "mistake"];
/** What Pygments found a piece to be: keyword, string, comment, number. */
const PIECES = { k: "k", s: "s", c: "c", n: "n" };
const sources = { asked: null, found: null, bases: null };

/** Choices go to the server as soon as they are made; `changed` is called when its answer is there. */
export function offerChoice(changed) {
  const form = byId("choice");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => choose(event.target, changed));
}

/** The commands of the buttons, as the server last said them; empty before. */
export const commandsNow = () => sources.found?.commands ?? {};

/** Show the sources of the state's choice, the compiler's complaints beside their lines, and the form. */
export function renderSources({ state, hello, live, refresh }) {
  const key = `${hello.sources} ${hello.url} ${hello.phase}`;
  if (sources.asked !== key) load(key, refresh);
  renderForm(state, hello, live);
  renderState(hello);
  if (sources.found) renderFiles(hello, state.engine.name !== "local");
}

/** Which bases this machine has, once; again after a build may have fetched one. */
export function learnBases(bases) {
  sources.bases = bases;
}

async function load(key, refresh) {
  sources.asked = key;
  try {
    sources.found = await call("GET", "/hello-go/sources");
    refresh();
  } catch {
    sources.asked = null;
  }
}

async function choose(field, changed) {
  const value = field.type === "number" ? Number(field.value) : field.value;
  field.toggleAttribute("data-asked", true);
  try {
    sources.found = await call("PUT", "/hello-go/choice", { [field.name]: value });
    byId("choice-said").replaceChildren();
    field.removeAttribute("aria-invalid");
  } catch (problem) {
    field.setAttribute("aria-invalid", "true");
    showProblem(byId("choice-said"), problem);
  }
  field.toggleAttribute("data-asked", false);
  changed();
}

function renderForm(state, hello, live) {
  const choice = hello.choice ?? sources.found?.choice;
  const images = state.engine.name !== "local";
  for (const name of FIELDS) {
    const field = byId(name);
    const needsDocker = name === "base" || name === "stages";
    field.disabled = !live || !choice || (needsDocker && !images) || (name === "base" && choice.stages === "single");
    const untouched = document.activeElement !== field && !field.hasAttribute("aria-invalid") && !field.hasAttribute("data-asked");
    if (choice && untouched && field.value !== String(choice[name])) field.value = choice[name];
  }
  for (const option of byId("base").options) renderBase(option, images);
}

function renderBase(option, images) {
  const known = sources.bases?.find((one) => one.base === option.value);
  option.disabled = known ? !known.available : false;
  const words = !images ? `, ${t("needs Docker")}` : !known ? "" : !known.available ? `, ${t("not on this machine")}` : known.stand_in ? `, ${t("stand-in")}` : known.here ? "" : `, ${t("fetched by the build")}`;
  const text = `${option.value}${words}`;
  if (option.textContent !== text) option.textContent = text;
}

function renderState(hello) {
  const built = hello.image && hello.image.sources;
  const other = built && hello.sources && hello.image.sources !== hello.sources;
  const element = byId("sources-state");
  const text = other ? t("changed since the build") : built ? t("just what was built") : "";
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  element.replaceChildren(...(text ? [mark(other ? "warn" : "ok"), h("span", {}, text)] : []));
}

function renderFiles(hello, images) {
  const complaints = hello.build?.sources === sources.found.digest && hello.build?.phase === "failed" ? (hello.build.complaints ?? []) : [];
  const key = `${sources.found.digest} ${JSON.stringify(complaints)}`;
  const element = byId("files");
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  element.replaceChildren(...sources.found.files.flatMap((file) => [h("h3", {}, file.name, h("small", {}, !images && file.name === "Dockerfile" ? ` ${t("is for Docker: without it, only the program below is compiled")}` : "")), table(file, complaints)]));
}

function table(file, complaints) {
  const rows = file.lines.map((line, place) => row(line, place + 1, complaints.filter((one) => one.file === file.name && one.line === place + 1)));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": file.name }, h("table", { class: "code", "data-source": file.name }, h("tbody", {}, ...rows)));
}

function row({ pieces, note }, number, complaints) {
  const code = h("code", {}, ...pieces.map(([name, text]) => (PIECES[name] ? h("span", { class: PIECES[name] }, text) : text)));
  const words = complaints.length > 0 ? complaints.map((one) => `${one.line}:${one.column} ${one.text}`).join("; ") : note;
  const tone = complaints.length > 0 ? "complained" : note ? "noted" : null;
  return h("tr", { class: tone }, h("td", { class: "ln" }, String(number)), h("td", { class: "src" }, code), h("td", { class: "why-line" }, words ? h("span", {}, words) : ""));
}
