/** Raw output, as it was written: the build's lines and the program's. */
import { colouredPieces, plainInk } from "./ansi.js";
import { h } from "./dom.js";

const KEPT = 1000;

/** A terminal in `element`. */
export function createOutput(element) {
  return { element, waiting: [], ink: plainInk() };
}

/** Lines that came; they are written at the next frame. */
export function hear(output, events) {
  for (const event of events) {
    if (event.kind === "hello_go.build_started") output.waiting = [null];
    else if (event.kind === "output.line" && event.source === "hello-go") output.waiting.push(event);
  }
  if (output.waiting.length > KEPT) output.waiting = output.waiting.slice(-KEPT);
}

/** Write what waits; follows unless somebody scrolled up. A new build begins with an empty terminal. */
export function renderOutput(output) {
  if (output.waiting.length === 0) return;
  const { element } = output;
  const follows = element.scrollHeight - element.scrollTop - element.clientHeight < 24;
  if (output.waiting[0] === null) {
    element.replaceChildren();
    output.ink = plainInk();
  }
  element.append(...output.waiting.filter(Boolean).flatMap((event) => [lineOf(output, event), "\n"]));
  output.waiting = [];
  element.hidden = element.previousElementSibling.hidden = element.childNodes.length === 0;
  while (element.childNodes.length > 2 * KEPT) element.firstChild.remove();
  if (follows) element.scrollTop = element.scrollHeight;
}

function lineOf(output, { text, level }) {
  const { pieces, ink } = colouredPieces(text, output.ink);
  output.ink = ink;
  const plain = pieces.map((piece) => piece.text).join("");
  const step = /^(Step \d+\/\d+ :)(.*)$/.exec(plain);
  if (step) return h("span", {}, h("span", { class: "dim" }, step[1]), h("span", { class: "cmd" }, step[2]));
  const tone = level === "error" ? "bad" : /^\s*--->|^Removed|^Removing/.test(plain) ? "dim" : null;
  return h("span", { class: tone }, ...pieces.map((piece) => (piece.classes ? h("span", { class: piece.classes }, piece.text) : piece.text)));
}
