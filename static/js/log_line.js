/** One line of the log. Everything that came from outside is text. */
import { h, mark, swatch } from "./dom.js";
import { shapeOf } from "./kinds.js";
import { clock } from "./units.js";

/** The list item of an event; `selected` is the visitor whose lines are marked. */
export function makeLine(event, selected) {
  const shape = shapeOf(event);
  const time = clock(event.at);
  const isReplica = event.source.startsWith("replica-");
  const classes = [event.kind === "output.line" ? "raw" : "", concerns(event.data?.visitor, selected) ? "on" : ""].filter(Boolean).join(" ");
  return h(
    "li",
    { class: classes || null, "data-seq": event.seq, "data-kind": event.kind, "data-source": event.source, "data-level": event.level, "data-visitor": event.data?.visitor ?? null },
    h("time", { datetime: event.at, title: event.at }, h("span", { class: "hour" }, time.slice(0, 3)), time.slice(3)),
    mark(shape),
    h("span", { class: "src" }, isReplica ? swatch(event.source) : null, event.source),
    h("span", { class: "kind", title: event.kind }, event.kind),
    h("p", {}, event.text, asksWhy(event) ? h("button", { class: "ask-why", type: "button", "aria-label": `Why did ${event.data.visitor} fail?` }, "Why?") : null),
  );
}

const FAILURES = new Set(["connection.refused", "circuit.rejected", "circuit.move_refused", "page.rejected", "request.failed", "visitor.failed"]);
const asksWhy = ({ kind, data }) => Boolean(data?.visitor) && FAILURES.has(kind);

/** Mark the lines of the selected visitor among those drawn. */
export function markSelected(list, selected) {
  for (const line of list.children) line.classList.toggle("on", concerns(line.dataset.visitor, selected));
}

function concerns(visitor, selected) {
  return selected !== null && visitor === selected;
}
