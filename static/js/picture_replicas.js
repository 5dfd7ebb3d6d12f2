/** The picture's right side: boxes with one cell for each memory, or bars where there are too many. */
import { keyed, replicaClass, s, setAttributes, setText } from "./dom.js";
import { phaseName } from "./names.js";
import { diamond } from "./path.js";
import { t, tn } from "./text.js";

/** Draw all boxes; `refused` counts 404s by replica. */
export function replicas(layer, geometry, refused, selected, empty) {
  keyed(layer, geometry.replicas, (box) => box.name, () => s("g"), (group, box) => {
    setAttributes(group, { class: `replica ${replicaClass(box.name)} ${tone(box)}`, "data-replica": empty ? null : box.name });
    const parts = [...frame(box), ...(empty ? [] : [...words(box), ...refusals(box, refused[box.name] ?? 0), ...inside(box, selected)])];
    keyed(group, parts, (part) => part.key, (part) => s(part.shape), draw);
  });
}

function draw(element, part) {
  setAttributes(element, part.set);
  if (part.text !== undefined) setText(element, part.text);
  if (part.parts) keyed(element, part.parts, (each) => each.key, (each) => s(each.shape), draw);
}

function tone(box) {
  if (box.phase === "failed") return "is-away is-failed";
  return box.phase === "running" ? "" : "is-away";
}

function frame(box) {
  const edge = box.narrow ? `M${box.x + 9} ${box.y + 1}h${box.w - 18}` : `M${box.x + 1} ${box.y + 9}v${box.h - 18}`;
  return [
    { key: "box", shape: "rect", set: { class: "box", x: box.x, y: box.y, width: box.w, height: box.h, rx: 8 } },
    { key: "edge", shape: "path", set: { class: "edge", d: edge } },
  ];
}

function words(box) {
  const x = box.area.x;
  const name = { key: "name", shape: "text", set: { class: "name", x, y: box.y + (box.compact ? 20 : box.narrow ? 28 : 26) }, text: box.name };
  const place = box.compact ? { x: x + 82, y: box.y + 20 } : { x, y: box.y + (box.narrow ? 45 : 44) };
  return [name, { key: "facts", shape: "text", set: { class: "small", ...place }, text: facts(box) }];
}

function facts(box) {
  if (box.phase !== "running") return phaseName(box.phase);
  const [live, held] = [box.connections ?? box.held.length, box.held.length + box.waiting.length + box.orphan.length];
  if (box.draining) return t("draining, %(live)s live", { live });
  if (box.compact && box.w < 250) return t("%(live)s live", { live });
  if (box.compact || box.narrow) return t("%(live)s live, %(held)s held", { live, held });
  return tn("%(live)s connected, %(n)s circuit", "%(live)s connected, %(n)s circuits", held, { live, n: held });
}

function refusals(box, count) {
  if (count === 0) return [];
  if (box.narrow) {
    const y = box.y + box.h + 18;
    return [refusal(box.x + 18, y, { x: box.x + 32, y: y + 5 }, `404 ×${count}`)];
  }
  const text = box.compact ? `×${count}` : `404 ×${count}`;
  const y = box.y + (box.compact ? 20 : 26);
  const end = box.x + box.w - 12;
  return [refusal(end - text.length * 8.2 - 12, y - 5, { x: end, y, class: "end" }, text, box.compact ? 6 : 8)];
}

function refusal(x, y, place, text, size = 8) {
  const parts = [
    { key: "badge", shape: "path", set: { class: "badge-refused", d: diamond(x, y, size) } },
    { key: "text", shape: "text", set: place, text },
  ];
  return { key: "refusal", shape: "g", set: { class: "refusal" }, parts };
}

function inside(box, selected) {
  return box.fit ? box.cells.map((cell) => cellPart(cell, selected)) : barParts(box);
}

function cellPart(cell, selected) {
  const { x, y, size } = cell;
  const halo = { key: "halo", shape: "rect", set: { class: "halo", x: x - 4, y: y - 4, width: size + 8, height: size + 8, rx: 6 } };
  const parts = [{ key: "mem", shape: "rect", set: { class: "mem", x, y, width: size, height: size, rx: Math.min(3, size / 4) } }];
  if (cell.labelled) parts.push({ key: "text", shape: "text", set: { class: cell.label.length > 2 ? "tiny" : null, x: x + size / 2, y: y + size / 2 + 4 }, text: cell.label });
  if (selected && cell.visitor === selected) parts.unshift(halo);
  return { key: cell.id, shape: "g", set: { class: `cell ${cell.kind}`, "data-circuit": cell.id, "data-visitor": cell.visitor }, parts };
}

/** One bar, three lengths with their numbers: held, waiting, abandoned. */
function barParts(box) {
  const counts = [["held", box.held.length], ["waiting", box.waiting.length], ["orphan", box.orphan.length]].filter(([, n]) => n > 0);
  const total = counts.reduce((sum, [, n]) => sum + n, 0);
  const height = Math.min(26, box.area.h);
  let x = box.area.x;
  return counts.flatMap(([kind, n]) => {
    const width = Math.max(20, ((box.area.w - 4 * (counts.length - 1) - 20 * counts.length) * n) / total + 20);
    const bar = { key: kind, shape: "rect", set: { class: `bar-${kind}`, x, y: box.area.y, width, height, rx: 3 } };
    const label = { key: `${kind} n`, shape: "text", set: { class: `bar-n ${kind}`, x: x + width / 2, y: box.area.y + height / 2 + 4.5 }, text: String(n) };
    x += width + 4;
    return [bar, label];
  });
}
