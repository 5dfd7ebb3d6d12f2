/** One line of the log, made once and filled again and again. Everything that came from outside is text. */
import { h, mark, replicaClass, setAttributes, setText, swatch } from "./dom.js";
import { shapeOf } from "./kinds.js";
import { t } from "./text.js";
import { clock } from "./units.js";

/** An empty line; `fillLine` gives it an event. */
export function makeLine() {
  const time = h("time", {}, h("span", { class: "hour" }), "");
  return h(
    "li",
    { "aria-setsize": -1 },
    h("a", { class: "at" }, time),
    mark("info"),
    h("span", { class: "src" }, swatch(""), ""),
    h("span", { class: "kind" }),
    h("p", {}, "", h("button", { class: "ask-why", type: "button" }, t("Why?"))),
  );
}

/** Show the event of that place; none while it is on its way. `marked` is `{selected, linked}`: a visitor, a seq. */
export function fillLine(line, event, place, marked) {
  const known = event !== undefined;
  setAttributes(line, {
    class: classesOf(event, marked) || null,
    "aria-posinset": place + 1,
    "aria-busy": known ? null : "true",
    "aria-current": known && event.seq === marked.linked ? "true" : null,
    "data-seq": known ? event.seq : null,
    "data-kind": event?.kind,
    "data-source": event?.source,
    "data-level": event?.level,
    "data-visitor": event?.data?.visitor,
  });
  const [at, shape, source, kind, words] = line.children;
  fillTime(at, event);
  setAttributes(shape, { class: known ? `mark ${TONES[shapeOf(event)] ?? shapeOf(event)}` : "mark quiet" });
  setAttributes(shape.firstElementChild, { href: `#m-${known ? shapeOf(event) : "info"}` });
  setAttributes(source.firstElementChild, { class: `swatch ${replicaClass(event?.source) || "none"}` });
  setNode(source.lastChild, event?.source ?? "");
  setText(kind, event?.kind ?? "");
  setAttributes(kind, { title: event?.kind });
  setNode(words.firstChild, event?.text ?? "…");
  fillWhy(words.lastElementChild, event);
}

const TONES = { info: "quiet" };
const FAILURES = new Set(["connection.refused", "circuit.rejected", "circuit.move_refused", "page.rejected", "request.failed", "visitor.failed"]);

function classesOf(event, { selected, linked }) {
  if (event === undefined) return "waits";
  const mine = selected !== null && event.data?.visitor === selected;
  return [event.kind === "output.line" && "raw", mine && "on", event.seq === linked && "linked"].filter(Boolean).join(" ");
}

function fillTime(link, event) {
  const time = link.firstElementChild;
  const text = event ? clock(event.at) : "";
  setAttributes(link, { href: event ? `#event-${event.seq}` : null, title: event ? t("Event %(seq)s, %(at)s. A link to it.", event) : null });
  setAttributes(time, { datetime: event?.at });
  setText(time.firstElementChild, text.slice(0, 3));
  setNode(time.lastChild, text.slice(3));
}

function fillWhy(button, event) {
  const asks = Boolean(event?.data?.visitor) && FAILURES.has(event.kind);
  button.hidden = !asks;
  if (asks) setAttributes(button, { "aria-label": t("Why did %(visitor)s fail?", event.data) });
}

/** A selection in a text that stays the same is left alone. */
function setNode(node, text) {
  if (node.data !== text) node.data = text;
}
