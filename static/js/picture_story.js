/** What happened to the selected visitor: where it negotiated, and which replica was asked next. */
import { keyed, s, setAttributes, setText } from "./dom.js";
import { diamond, pointAt, toD } from "./path.js";
import { t } from "./text.js";

/** The last negotiate of a visitor and what came after it; empty when there is none. Pure. */
export function stepsOf(events, visitor) {
  const steps = [];
  for (let i = events.length - 1; i >= 0 && visitor; i -= 1) {
    const { kind, data } = events[i];
    if (data?.visitor !== visitor) continue;
    const replica = data.replica ?? events[i].source;
    if (kind === "connection.refused" && steps.length === 0) steps.push({ kind, replica, text: t("2 connect 404"), wrong: true });
    if (kind === "connection.routed" && steps.length === 0) steps.push({ kind, replica, text: t("2 connect"), wrong: false });
    if (kind === "connection.negotiated") return [{ kind, replica, text: t("1 negotiate 200"), wrong: false, visitor }, ...steps];
  }
  return [];
}

/** Draw the legs over the wires. */
export function story(layer, geometry, steps) {
  if (steps.length === 2 && steps[0].replica === steps[1].replica && !steps[1].wrong) steps = [{ ...steps[0], text: t("negotiate, connect") }];
  const begin = geometry.visitors.find((visitor) => visitor.name === steps[0]?.visitor);
  const parts = begin ? [leg("in", begin.path, "leg"), ...steps.flatMap((step, i) => stepParts(geometry, step, i))] : [];
  keyed(layer, parts, (part) => part.key, (part) => s(part.shape), (element, part) => {
    setAttributes(element, part.set);
    if (part.text !== undefined) setText(element, part.text);
    if (part.parts) keyed(element, part.parts, (each) => each.key, (each) => s(each.shape), (child, each) => {
      setAttributes(child, each.set);
      if (each.text !== undefined) setText(child, each.text);
    });
  });
}

function stepParts(geometry, step, i) {
  const box = geometry.replicas.find((replica) => replica.name === step.replica);
  if (!box) return [];
  const [x, y] = pointAt(box.bundle, 1);
  const end = step.wrong ? { class: "badge-refused", d: diamond(x, y, 11) } : { class: "through", cx: x, cy: y, r: 5 };
  const [tx, ty] = pointAt(box.bundle, geometry.tall ? 0.45 + i * 0.2 : 0.4 + i * 0.22);
  return [leg(`leg ${i}`, box.bundle, step.wrong ? "leg wrong" : "leg"), { key: `end ${step.wrong}${i}`, shape: step.wrong ? "path" : "circle", set: end }, tag(`tag ${i}`, tx, ty, step, geometry.width)];
}

const leg = (key, path, tone) => ({ key, shape: "path", set: { class: tone, d: toD(path) } });

function tag(key, middle, y, step, most) {
  const width = step.text.length * 7 + 18;
  const x = Math.min(most - width / 2 - 4, Math.max(width / 2 + 4, middle));
  const rect = { key: "rect", shape: "rect", set: { x: x - width / 2, y: y - 11, width, height: 22, rx: 11 } };
  const text = { key: "text", shape: "text", set: { x, y: y + 4.2 }, text: step.text };
  return { key, shape: "g", set: { class: step.wrong ? "tag wrong" : "tag" }, parts: [rect, text] };
}
