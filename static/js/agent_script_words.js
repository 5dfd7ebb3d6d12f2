/** The sentences of the agent-script page, made from answers and state. Pure. */
import { inWords, sentence } from "./units.js";

const OUTCOMES = {
  running: { tone: "ok", title: "The agent registers and runs", more: "The package fits this machine. In the lab it is registered, and its process was seen running." },
  exec_format: { tone: "refused", title: "Right script, wrong machine: Exec format error", more: "The kernel read the program's header and refused it." },
  loader_missing: { tone: "refused", title: "The program's loader is not here", more: "The processor is right, the C library is not: the file exists, and still the shell cannot start it." },
  crashed: { tone: "refused", title: "The agent started and crashed", more: "The processor is of the right family and still not the right one." },
  deadline: { tone: "warn", title: "Time was up before the script had ended", more: "Everything that it started was ended." },
  failed: { tone: "refused", title: "The script ended with an error", more: "The lines in the terminal say at which command." },
  ended: { tone: "warn", title: "The script ended and no agent runs", more: "The lines in the terminal say why." },
  cancelled: { tone: "info", title: "The rehearsal was cancelled", more: "Nothing of it is left." },
};

/** How many words differ from the default. */
export function differences(answer) {
  return answer.diff.reduce((count, row) => count + row.yours.filter((piece) => piece.changed).length, 0);
}

/** `{tone, title, more}` for a preview. */
export function previewVerdict(answer, request) {
  if (request.detect) return { tone: "ok", title: "The script asks the machine itself", more: answer.why };
  const count = differences(answer);
  if (count === 0) return { tone: "ok", title: `Nothing differs: ${request.rid} is the default`, more: answer.why };
  return { tone: "ok", title: `${sentence(inWords(count, "word"))} ${count === 1 ? "differs" : "differ"}: ${defaultWord(answer)} became ${request.rid.split("-").at(-1)}`, more: answer.why };
}

const defaultWord = (answer) => answer.default.rid.split("-").at(-1);

/** Why there is no script for what the form says. */
export function refusedVerdict({ kind, message, hint }) {
  const title = { no_such_package: "There is no such package", bad_request: "No script can be made of this" }[kind] ?? "The script could not be had";
  return { tone: "refused", title, more: `${message} ${hint}` };
}

/** `{tone, title, more}` for the last rehearsal; null when there was none. */
export function rehearsalVerdict(state, waited = 0) {
  if (!state) return null;
  const seconds = waited >= 2 ? `, ${Math.floor(waited)} s` : "";
  if (state.phase === "starting") return { tone: "busy", title: `Making a package for ${state.rid}${seconds}`, more: "Agent.Listener is compiled for that processor, on this one." };
  if (state.phase === "running") return { tone: "busy", title: `Rehearsing with the ${state.rid} package${seconds}`, more: "Each line in the terminal is the script's own." };
  if (state.phase === "failed") return { tone: "refused", title: "The rehearsal could not be done", more: `${state.error?.message ?? ""} ${state.error?.hint ?? ""}`.trim() };
  const known = OUTCOMES[state.result?.outcome];
  if (!known) return null;
  return { ...known, more: more(known, state) };
}

/** Who met whom: only for a refusal does it matter. */
function more(known, state) {
  if (state.result.outcome !== "exec_format") return known.more;
  const holds = state.binary?.fields?.find((field) => field.name === "Machine")?.value.split(",")[0];
  const here = state.machine?.uname ?? "another processor";
  return `This machine is ${here} and the package holds ${holds ?? "other"} instructions. Where it is the other way round, the other package fails with the same words.`;
}
