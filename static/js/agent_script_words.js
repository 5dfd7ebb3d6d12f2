/** The sentences of the agent-script page, made from answers and state. Pure. */
import { recorded, t, tn } from "./text.js";
import { inWords, sentence } from "./units.js";

const OUTCOMES = {
  running: { tone: "ok", title: t("The agent registers and runs"), more: t("The package fits this machine. In the lab it is registered, and its process was seen running.") },
  exec_format: { tone: "refused", title: t("Right script, wrong machine: Exec format error"), more: t("The kernel read the program's header and refused it.") },
  loader_missing: { tone: "refused", title: t("The program's loader is not here"), more: t("The processor is right, the C library is not: the file exists, and still the shell cannot start it.") },
  crashed: { tone: "refused", title: t("The agent started and crashed"), more: t("The processor is of the right family and still not the right one.") },
  deadline: { tone: "warn", title: t("Time was up before the script had ended"), more: t("Everything that it started was ended.") },
  failed: { tone: "refused", title: t("The script ended with an error"), more: t("The lines in the terminal say at which command.") },
  ended: { tone: "warn", title: t("The script ended and no agent runs"), more: t("The lines in the terminal say why.") },
  cancelled: { tone: "info", title: t("The rehearsal was cancelled"), more: t("Nothing of it is left.") },
};

/** How many words differ from the default. */
export function differences(answer) {
  return answer.diff.reduce((count, row) => count + row.yours.filter((piece) => piece.changed).length, 0);
}

/** `{tone, title, more}` for a preview. */
export function previewVerdict(answer, request) {
  if (request.detect) return { tone: "ok", title: t("The script asks the machine itself"), more: answer.why };
  const count = differences(answer);
  if (count === 0) return { tone: "ok", title: t("Nothing differs: %(rid)s is the default", { rid: request.rid }), more: answer.why };
  return { tone: "ok", title: tn("One word differs: %(before)s became %(after)s", "%(n)s words differ: %(before)s became %(after)s", count, { n: sentence(inWords(count)), before: defaultWord(answer), after: request.rid.split("-").at(-1) }), more: answer.why };
}

const defaultWord = (answer) => answer.default.rid.split("-").at(-1);

/** Why there is no script for what the form says. */
export function refusedVerdict({ kind, message, hint }) {
  const title = { no_such_package: t("There is no such package"), bad_request: t("No script can be made of this") }[kind] ?? t("The script could not be had");
  return { tone: "refused", title, more: `${message} ${hint}` };
}

/** `{tone, title, more}` for the last rehearsal; null when there was none. */
export function rehearsalVerdict(state, waited = 0) {
  if (!state) return null;
  const seconds = waited >= 2 ? `, ${Math.floor(waited)} s` : "";
  if (state.phase === "starting") return { tone: "busy", title: t("Making a package for %(rid)s", { rid: state.rid }) + seconds, more: t("Agent.Listener is compiled for that processor, on this one.") };
  if (state.phase === "running") return { tone: "busy", title: t("Rehearsing with the %(rid)s package", { rid: state.rid }) + seconds, more: t("Each line in the terminal is the script's own.") };
  if (state.phase === "failed") return { tone: "refused", title: t("The rehearsal could not be done"), more: `${recorded(state.error?.message)} ${recorded(state.error?.hint)}`.trim() };
  const known = OUTCOMES[state.result?.outcome];
  if (!known) return null;
  return { ...known, more: more(known, state) };
}

/** Who met whom: only for a refusal does it matter. */
function more(known, state) {
  if (state.result.outcome !== "exec_format") return known.more;
  const holds = state.binary?.fields?.find((field) => field.name === "Machine")?.value.split(",")[0];
  const here = state.machine?.uname ?? t("another processor");
  return t("This machine is %(here)s and the package holds %(holds)s instructions. Where it is the other way round, the other package fails with the same words.", { here, holds: holds ?? t("other") });
}
