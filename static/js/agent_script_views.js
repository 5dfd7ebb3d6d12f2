/** What the agent-script page shows, made from answers: script, diff, warnings, program, findings. */
import { differences } from "./agent_script_words.js";
import { byId, h, inline, mark, setText } from "./dom.js";
import { recorded, t, tn } from "./text.js";
import { inWords, sentence } from "./units.js";

const RUNS = { runs: "ok", translated: "warn" };
const SYSTEMS = { ELF: "linux", "Mach-O": "osx", PE: "win" };

/** The script with what was changed marked, the diff under it, and what to know. */
export function renderAnswer(answer, request) {
  renderScript(answer);
  renderDiff(answer, request);
  byId("differs").hidden = answer.diff.length === 0;
  setText(byId("why"), answer.why);
  byId("warnings").replaceChildren(...answer.warnings.map(warning));
  setText(byId("script-foot"), footOf(answer, request));
}

function renderScript(answer) {
  const rows = answer.diff.length > 0 ? answer.diff.flatMap((row) => row.yours) : [{ text: answer.script }];
  byId("script").replaceChildren(...shown(rows, "ins"));
}

const NAME_BEGINS = /(?:vsts|pipelines)-agent-[a-z-]*$/;
const NAME_ENDS = /^-[\w.-]*\.(?:tar\.gz|zip)/;

/** Pieces of a script with what is changed marked; a package's name and an option stay in one line. */
function shown(pieces, tone) {
  const nodes = [];
  for (const [place, piece] of pieces.entries()) {
    const before = pieces[place - 1]?.changed ? NAME_ENDS.exec(piece.text)?.[0] ?? "" : "";
    const after = pieces[place + 1]?.changed ? NAME_BEGINS.exec(piece.text)?.[0] ?? "" : "";
    if (piece.changed) {
      const [front, back] = [NAME_BEGINS.exec(pieces[place - 1]?.text)?.[0], NAME_ENDS.exec(pieces[place + 1]?.text)?.[0]];
      nodes.push(h("span", { class: "opt" }, front ?? "", h("mark", { class: tone }, piece.text), back ?? ""));
    } else {
      nodes.push(...options(piece.text.slice(before.length, piece.text.length - after.length)));
    }
  }
  return nodes;
}

/** A command with its options kept in one line each. */
export const options = (text) => text.split(/(--[a-z]+)/).map((part, place) => (place % 2 === 1 ? h("span", { class: "opt" }, part) : part));

function footOf(answer, request) {
  if (answer.shell === "powershell") return t("PowerShell 5 or later. What cmd.exe would not leave alone goes through the agent's own variables.");
  if (request.detect) return t("bash. It asks for the token or takes it from VSTS_AGENT_INPUT_TOKEN, stops at the first failure, and may be run again.");
  if (request.version.startsWith("2.") && !request.checksums) return answer.articles ? t("One line, as the portal of that time gave it: the article's, byte for byte.") : PORTAL[request.target.kind];
  return t("One line for bash. It stops at the first command that fails, and checks whose server it talks to.");
}

const PORTAL = {
  deployment_pool: t("One line, as the portal of that time gave it."),
  deployment_group: t("One line, in the words that the portal of that time had for deployment pools."),
  environment: t("One line, in the words that the portal of that time had for deployment pools."),
  agent_pool: t("One line, in the words that the portal of that time had for deployment pools; for agent pools it gave none."),
};

const SYSTEM_WORDS = { linux: "Linux", osx: "macOS", win: "Windows" };

function renderDiff(answer, request) {
  const { rid, portal } = answer.default;
  const system = SYSTEM_WORDS[rid.split("-")[0]];
  setText(byId("diff-h"), howMuchDiffers(differences(answer), portal));
  setText(byId("default-title"), portal ? t("Portal, %(system)s", { system }) : t("Default, %(system)s", { system }));
  byId("default-for").replaceChildren(mark(rid === request.rid ? "ok" : "refused"), t("for %(rid)s", { rid }));
  byId("yours-for").replaceChildren(mark("ok"), t("for %(rid)s", { rid: request.rid }));
  for (const [id, side, tone] of [["diff-default", "default", "del"], ["diff-yours", "yours", "ins"]]) {
    byId(id).replaceChildren(...answer.diff.map((row) => rowOf(row, side, tone)));
  }
}

function howMuchDiffers(count, portal) {
  const n = sentence(inWords(count));
  if (portal) return count === 0 ? t("Nothing differs from what the portal gives") : tn("One word differs from what the portal gives", "%(n)s words differ from what the portal gives", count, { n });
  return count === 0 ? t("Nothing differs from the default") : tn("One word differs from the default", "%(n)s words differ from the default", count, { n });
}

function rowOf(row, side, tone) {
  return h("tr", { class: row.changed ? "hit" : null }, h("td", { class: "ln" }, String(row.line)), h("td", {}, h("code", {}, ...shown(row[side], tone))));
}

function warning({ message }) {
  const [first, ...rest] = message.split(/(?<=\.) /);
  const words = rest.length > 0 ? [h("b", {}, first), ` ${rest.join(" ")}`] : [first];
  return h("li", { class: "verdict is-warn" }, mark("warn"), h("p", {}, ...words));
}

/** A program: its first bytes with the read fields marked, what they mean, and where it runs. */
export function renderBinary(found, ours) {
  byId("binary").hidden = !found;
  if (!found) return;
  setText(byId("bin-h"), found.path ?? found.file ?? "bin/Agent.Listener");
  setText(byId("bin-foot"), `${originOf(found, ours)}${ours ? t("Read, not executed for this.") : t("Read, never executed.")}`);
  byId("hex").replaceChildren(...hexOf(found));
  byId("fields").replaceChildren(...found.fields.map(fieldOf));
  byId("judged").replaceChildren(...found.judged.filter((row) => row.here || row.system === SYSTEMS[found.format]).map(judgedRow));
}

function originOf({ path, file }, ours) {
  if (!path) return "";
  return `${ours ? t("From %(file)s, made by the lab: Microsoft's program of that name also needs a C library and .NET's own libraries.", { file }) : t("From %(file)s.", { file })} `;
}

function hexOf({ hex, fields }) {
  const bytes = hex.split(" ");
  const marked = fields.filter((field) => field.at);
  return bytes.flatMap((byte, place) => {
    const field = marked.find(({ at }) => place >= at[0] && place < at[1]);
    const gap = place % 16 === 15 ? "\n" : place % 8 === 7 ? "  " : " ";
    return [field ? h("b", { title: field.name }, byte) : byte, gap];
  });
}

function fieldOf({ name, value, meaning }) {
  return h("div", {}, h("dt", {}, recorded(name)), h("dd", {}, h("b", {}, recorded(value)), ` ${recorded(meaning)}`));
}

function judgedRow(row) {
  const words = row.here ? t("this machine") : recorded(row.words);
  return h("tr", {}, h("th", { scope: "row" }, h("code", {}, row.uname), ` ${words}`), h("td", { "data-outcome": row.outcome }, mark(RUNS[row.outcome] ?? "refused"), recorded(row.says)));
}

/** What a pasted text tells. */
export function renderFindings(text, findings) {
  const told = findings.map(({ cause, mend, line }) => h("li", { class: "verdict" }, mark("info"), h("p", {}, h("b", {}, ...inline(cause))), h("p", {}, ...inline(mend)), h("p", { class: "quiet" }, h("code", {}, line))));
  if (text && told.length === 0) told.push(h("li", { class: "verdict" }, mark("info"), h("p", {}, h("b", {}, t("Nothing here is known to Labdeck."), " "), t("Paste the whole line of the error, or what uname -a says."))));
  byId("findings").replaceChildren(...told);
}
