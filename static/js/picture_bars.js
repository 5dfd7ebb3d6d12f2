/** The picture's left side when there are more than sixty visitors: one bar per replica, cut by state. */
import { keyed, replicaClass, s, setAttributes, setText } from "./dom.js";
import { t } from "./text.js";

const KINDS = [["held", (g) => g.kept + g.lost], ["waiting", (g) => g.waiting], ["refused", (g) => g.refused]];

/** Draw the groups of the geometry; none when visitors are drawn singly. */
export function groups(layer, geometry) {
  keyed(layer, geometry.groups, (group) => group.name ?? "none", () => s("g"), (element, group) => {
    setAttributes(element, { class: `tally ${replicaClass(group.name)}` });
    keyed(element, parts(group), (part) => part.key, (part) => s(part.shape), (child, part) => {
      setAttributes(child, part.set);
      if (part.text !== undefined) setText(child, part.text);
    });
  });
}

function parts(group) {
  const { x, y, h } = group;
  const top = y - h / 2;
  const label = { key: "label", shape: "text", set: { class: "small", x, y: top - 5 }, text: words(group) };
  let at = x;
  const bars = KINDS.map(([kind, of]) => [kind, of(group)]).filter(([, n]) => n > 0).map(([kind, n]) => {
    const width = Math.max(3, n * group.scale - 2);
    const bar = { key: kind, shape: "rect", set: { class: `bar-${kind}`, x: at, y: top, width, height: h, rx: 3 } };
    at += width + 3;
    return bar;
  });
  const count = { key: "count", shape: "text", set: { class: "count", x: at + 5, y: y + 4.5 }, text: String(group.total) };
  return [label, ...bars, count];
}

function words(group) {
  const where = group.name === null ? t("without memory") : t("of %(replica)s", { replica: group.name });
  return group.refused > 0 ? t("%(where)s, %(refused)s refused", { where, refused: group.refused }) : where;
}
