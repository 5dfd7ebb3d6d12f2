/** The rehearsal's terminal: lines of the build, commands as bash traces them, and what they write. */
import { options } from "./agent_script_views.js";
import { h } from "./dom.js";

const KEPT = 1500;
const TONES = { build: "dim", exit: "dim", stderr: null };

export function createTerminal(element) {
  return { element, waiting: [], fresh: false };
}

/** Lines that came; a new rehearsal begins with an empty terminal. */
export function hear(terminal, events) {
  for (const event of events) {
    if (event.kind === "agent_script.build_started" || event.kind === "workspace.reset") [terminal.waiting, terminal.fresh] = [[], true];
    else if (event.kind === "output.line" && (event.source === "rehearsal" || event.source === "agent-script")) terminal.waiting.push(event);
  }
  if (terminal.waiting.length > KEPT) terminal.waiting = terminal.waiting.slice(-KEPT);
}

/** Write what waits; follows unless somebody scrolled up. */
export function renderTerminal(terminal) {
  if (terminal.waiting.length === 0 && !terminal.fresh) return;
  const { element } = terminal;
  const follows = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
  if (terminal.fresh) element.replaceChildren();
  terminal.fresh = false;
  element.append(...terminal.waiting.flatMap((event) => [lineOf(event), "\n"]));
  terminal.waiting = [];
  while (element.childNodes.length > 2 * KEPT) element.firstChild.remove();
  element.hidden = element.childNodes.length === 0;
  if (follows) element.scrollTop = element.scrollHeight;
}

function lineOf({ text, level, data }) {
  if (data?.stream === "command") return h("span", {}, h("span", { class: "dim" }, "$ "), h("span", { class: "cmd" }, ...options(text)));
  return h("span", { class: level === "error" ? "bad" : TONES[data?.stream] }, text);
}
