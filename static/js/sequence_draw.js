/** Draws a sequence diagram. Texts of a story only ever become text nodes. */
import { replicaClass, s } from "./dom.js";
import { diamond } from "./path.js";

/** An SVG of what `sequence` gave; `title` is what a screen reader says of it. */
export function drawSequence(geometry, title) {
  const { width, height, lives, rows, memos, miss } = geometry;
  const svg = s("svg", { class: "sequence", viewBox: `0 0 ${width} ${Math.ceil(height)}`, role: "img" }, s("title", {}, title));
  svg.append(...lives.map((life) => lifeline(life, geometry.foot)), ...memos.map(memo), ...rows.map(row));
  if (miss) svg.append(bracket(miss));
  return svg;
}

function lifeline({ label, replica, x, box }, foot) {
  return s(
    "g",
    { class: `life ${replicaClass(replica)}` },
    s("path", { d: `M${x} 30V${foot}` }),
    s("rect", { x: x - box / 2, y: 4, width: box, height: 26, rx: 6 }),
    s("text", { x, y: 21 }, label),
  );
}

function row({ number, refused, call, from, via, to, words, top, ask, reply, answer }) {
  const parts = [s("circle", { class: "step", cx: 14, cy: ask - 3, r: 9 }), s("text", { class: "step-no", x: 14, y: ask + 1 }, String(number))];
  const end = refused ? to - 3 : to - 2;
  parts.push(...words.map((text, i) => s("text", { x: from + 10, y: top + i * 16 - 1 }, text)));
  parts.push(s("path", { class: call ? "arrow on-line" : "arrow", d: `M${from} ${ask}H${end}` }));
  if (to !== via) parts.push(via_(via, ask, call));
  parts.push(refused ? s("path", { class: "badge-refused", d: diamond(to, ask, 10) }) : s("path", { class: "tip", d: `M${to - 1} ${ask}l-8 -4.5v9z` }));
  parts.push(s("text", { x: from + 10, y: reply - 8 }, answer));
  parts.push(s("path", { class: "arrow back", d: `M${to} ${reply}H${from + 3}` }), s("path", { class: "tip back", d: `M${from + 2} ${reply}l8 -4.5v9z` }));
  if (to !== via) parts.push(via_(via, reply, call));
  return s("g", { class: refused ? "msg bad" : "msg" }, ...parts);
}

/** The balancer chooses for a request; a call only passes it, on the connection that is open. */
const via_ = (x, y, call) => s("circle", { class: call ? "via passed" : "via", cx: x, cy: y, r: 3.5 });

function memo({ replica, text, gone, x, y, width, height }) {
  return s(
    "g",
    { class: `memo ${gone ? "gone" : ""} ${replicaClass(replica)}` },
    s("rect", { x: x - width / 2, y, width, height, rx: 4 }),
    s("text", { x, y: y + 16 }, text),
  );
}

function bracket({ from, to, y, x, text }) {
  return s("g", { class: "miss" }, s("path", { d: `M${from} ${y}v12H${to}v-12` }), s("text", { x, y: y + 28 }, text));
}
