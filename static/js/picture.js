/** The live picture: visitors, balancer, replicas and the memory between them, as SVG out of the state. */
import { keyed, replicaClass, s, setAttributes, setText } from "./dom.js";
import { layout } from "./layout.js";
import { cut, diamond, toD, triangle } from "./path.js";
import { groups } from "./picture_bars.js";
import { replicas } from "./picture_replicas.js";
import { LOOKS } from "./picture_table.js";
import { story } from "./picture_story.js";
import { makeScene } from "./scene.js";
import { portOf } from "./verdict.js";
import { algorithmName, modeName, phaseName } from "./names.js";
import { t, tn } from "./text.js";

const OUTLINE = {
  people: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`visitor-${i + 1}`, { status: "waiting" }])),
  replicas: Object.fromEntries([1, 2, 3].map((n) => [`replica-${n}`, { name: `replica-${n}`, phase: "stopped" }])),
  circuits: {},
  balancer: { phase: "stopped", affinity: {} },
};

/** Prepare the element; the picture's parts are layers, from back to front. */
export function createPicture(element) {
  const layers = Object.fromEntries(["axis", "wires", "replicas", "balancer", "groups", "visitors", "story"].map((name) => [name, s("g", { class: name })]));
  const dots = s("pattern", { id: "dots", width: 16, height: 16, patternUnits: "userSpaceOnUse" }, s("circle", { class: "grid-dot", cx: 8, cy: 8, r: 1 }));
  const grid = s("rect", { fill: "url(#dots)" });
  const title = s("title", { id: "picture-title" });
  const svg = s("svg", { class: "picture", role: "img", "aria-labelledby": "picture-title" }, title, s("defs", {}, dots), grid);
  svg.append(layers.axis, layers.wires, layers.replicas, layers.balancer, layers.groups, layers.visitors, layers.story);
  element.prepend(svg);
  return { svg, grid, title, layers, tall: matchMedia("(max-width: 60rem)"), geometry: null, selected: null };
}

/** Draw the state; `told` has the refusals per replica, the selected visitor's last steps, and the headline. */
export function renderPicture(picture, state, told) {
  const empty = !state || Object.keys(state.replicas).length === 0;
  const scene = makeScene(empty ? OUTLINE : state);
  const geometry = layout(scene, picture.tall.matches, picture.selected);
  picture.geometry = geometry;
  picture.svg.classList.toggle("is-empty", empty);
  setAttributes(picture.svg, { viewBox: `0 0 ${geometry.width} ${Math.ceil(geometry.height)}` });
  setAttributes(picture.grid, { width: geometry.width, height: geometry.height });
  setText(picture.title, told.title);
  axis(picture.layers.axis, geometry, scene, empty);
  wires(picture.layers.wires, geometry);
  replicas(picture.layers.replicas, geometry, told.refused, picture.selected, empty);
  balancer(picture.layers.balancer, geometry, scene.balancer, empty);
  groups(picture.layers.groups, geometry);
  visitors(picture.layers.visitors, geometry, picture.selected, empty);
  story(picture.layers.story, geometry, told.steps);
}

function axis(layer, { axis: places }, scene, empty) {
  const texts = empty ? [t("visitors"), t("balancer"), t("replicas and their memory")] : [tn("%(n)s visitor", "%(n)s visitors", scene.visitors.length), t("balancer"), t("replicas and their memory")];
  const items = places.map(([x, y, anchor], i) => ({ x, y, anchor, text: texts[i] }));
  keyed(layer, items, (item) => item.x, () => s("text"), (text, item) => {
    setAttributes(text, { x: item.x, y: item.y, class: item.anchor === "middle" ? "mid" : null });
    setText(text, item.text);
  });
}

/** Whole wires for who is connected; a broken stub for who was pinned and is away. */
function wires(layer, { visitors: people, replicas: boxes, groups: bars }) {
  const all = [];
  for (const visitor of people) {
    if (visitor.look === "kept" || visitor.look === "lost") all.push(wire(`v ${visitor.name}`, visitor.path, visitor.replica));
    else if (visitor.replica) all.push(...broken(visitor));
  }
  const thick = bundleWidth(boxes);
  for (const bar of bars) {
    const live = bar.kept + bar.lost;
    if (live > 0) all.push(wire(`g ${bar.name}`, bar.path, bar.name, thick(live)));
  }
  for (const box of boxes) all.push(...toReplica(box, bars.length > 0, thick));
  for (const visitor of bars.length > 0 ? people : []) all.push(...ownLine(visitor, boxes));
  keyed(layer, all, (item) => item.key, (item) => s(item.shape), (element, item) => {
    setAttributes(element, item.set);
    element.style.strokeWidth = item.width ? `${item.width.toFixed(1)}px` : "";
  });
}

function wire(key, path, replica, width = null) {
  return { key, shape: "path", set: { class: `wire ${replicaClass(replica)}`, d: toD(path) }, width };
}

function broken(visitor) {
  const { path, stop } = cut(visitor.path, 0.34);
  const tone = replicaClass(visitor.replica);
  return [
    { key: `b ${visitor.name}`, shape: "path", set: { class: `wire broken ${tone}`, d: toD(path) } },
    { key: `s ${visitor.name}`, shape: "path", set: { class: `stop ${tone}`, d: stop } },
  ];
}

/** As thick as the share of all connections that runs through. */
function bundleWidth(boxes) {
  const total = Math.max(1, boxes.reduce((sum, box) => sum + box.held.length, 0));
  return (live) => Math.min(14, 1.5 + (live / total) * 30);
}

function toReplica(box, many, thick) {
  if (box.held.length === 0) return [];
  if (many || box.wires.length === 0) return [wire(`r ${box.name}`, box.bundle, box.name, thick(box.held.length))];
  return box.wires.flatMap(({ id, path }) => [
    wire(`c ${id}`, path, box.name),
    { key: `p ${id}`, shape: "circle", set: { class: `plug ${replicaClass(box.name)}`, cx: path[0][6], cy: path[0][7], r: 3.5 } },
  ]);
}

/** The followed visitor's own line through the bundle of its replica, when it is connected there. */
function ownLine({ name, look, replica }, boxes) {
  const box = boxes.find((each) => each.name === replica);
  if (!box?.bundle || (look !== "kept" && look !== "lost")) return [];
  const held = box.held.find((cell) => cell.visitor === name);
  const path = box.wires.find(({ id }) => id === held?.id)?.path ?? box.bundle;
  const [, , , , , , x, y] = path.at(-1);
  return [
    { key: `o ${name}`, shape: "path", set: { class: "casing", d: toD(path) } },
    wire(`ow ${name}`, path, replica),
    { key: `op ${name}`, shape: "circle", set: { class: `plug own ${replicaClass(replica)}`, cx: x, cy: y, r: 5 } },
  ];
}

function balancer(layer, { balancer: box }, { phase, affinity = {}, url }, empty) {
  const mode = affinity.mode ?? "";
  const tone = phase !== "running" ? "is-away" : mode === "none" ? "" : "is-on";
  const how = mode === "source_ip" ? t("hash of the address") : algorithmName(affinity.algorithm);
  const below = [how, phase === "running" ? t("port %(port)s", { port: portOf(url) }) : phaseName(phase)];
  const texts = [["small", box.rows[2] === null ? t("balancer, affinity") : t("affinity")], ["mode", modeName(mode)], null, ["small", below[0]], ["small", below[1]]];
  setAttributes(layer, { class: `balancer ${tone}` });
  const parts = [{ key: "box", shape: "rect", set: { x: box.x, y: box.y, width: box.w, height: box.h, rx: 12 } }];
  texts.forEach((text, i) => {
    if (empty || box.rows[i] === null) return;
    if (text === null) parts.push({ key: "rule", shape: "path", set: { class: "rule", d: `M${box.cx - 38} ${box.y + box.rows[i]}h76` } });
    else parts.push({ key: `t${i}`, shape: "text", set: { class: text[0], x: box.cx, y: box.y + box.rows[i] }, text: text[1] });
  });
  keyed(layer, parts, (part) => part.key, (part) => s(part.shape), (element, part) => {
    setAttributes(element, part.set);
    if (part.text !== undefined) setText(element, part.text);
  });
}

function visitors(layer, { visitors: people }, selected, empty) {
  keyed(layer, people, (visitor) => visitor.name, makeVisitor, (element, visitor) => {
    const off = visitor.look === "refused" || visitor.look === "waiting";
    setAttributes(element, { class: `visitor ${off ? "off" : "on"} ${visitor.look} ${replicaClass(visitor.replica)}`, transform: `translate(${visitor.x.toFixed(1)} ${visitor.y.toFixed(1)})`, "data-visitor": empty ? null : visitor.name });
    const [halo, who, text, badge, title, beside] = element.children;
    setText(beside, visitor.named ? visitor.name : "");
    setAttributes(halo, { r: visitor.name === selected ? visitor.r + 5 : 0 });
    setAttributes(who, { r: visitor.r });
    setText(text, empty ? "" : visitor.label);
    setText(title, visitor.replica ? t("%(visitor)s: %(look)s, memory in %(replica)s", { visitor: visitor.name, look: LOOKS[visitor.look], replica: visitor.replica }) : `${visitor.name}: ${LOOKS[visitor.look]}`);
    setAttributes(badge, badgeOf(visitor.look));
  });
}

function makeVisitor() {
  return s("g", {}, s("circle", { class: "halo", r: 0 }), s("circle", { class: "who" }), s("text", { y: 4.2 }), s("path"), s("title"), s("text", { class: "beside", x: 24, y: 4.6 }));
}

function badgeOf(look) {
  if (look === "refused") return { class: "badge-refused", d: diamond(11.4, -10.4, 6.5) };
  if (look === "lost") return { class: "badge-warn", d: triangle(12.4, -11.5, 6.5) };
  return { class: null, d: null };
}
