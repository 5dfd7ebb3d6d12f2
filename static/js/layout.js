/** Where everything of the picture stands, wide or tall. Pure: numbers in, numbers out. */
import { curve, line } from "./path.js";
import { groupsOf } from "./scene.js";

const CELLS = [[22, 6, true], [18, 4, true], [13, 3, false], [9, 2, false], [6, 2, false]];
const R = 13;
/** What the followed visitor's line takes under the groups. */
const OWN = 44;

/**
 * Geometry of a scene: size, visitors or groups, balancer, replicas with their cells, and every path between. Where
 * visitors are drawn as groups, the one of the name `followed` keeps a place of its own.
 */
export function layout(scene, tall, followed = null) {
  const own = scene.many ? scene.visitors.filter(({ name }) => name === followed) : [];
  return tall ? tallLayout(scene, own) : wideLayout(scene, own);
}

/** The largest cells of which `count` fit into an area; null when not even the smallest do. */
export function fitCells(width, height, count) {
  for (const [size, gap, labelled] of CELLS) {
    const columns = Math.floor((width + gap) / (size + gap));
    if (columns * Math.floor((height + gap) / (size + gap)) >= count) return { size, gap, columns, labelled };
  }
  return null;
}

function wideLayout(scene, own) {
  const count = Math.max(1, scene.replicas.length);
  const height = count <= 4 ? 496 : 38 + count * 64;
  const gap = count <= 4 ? 14 : 8;
  const boxHeight = Math.min(143.3, (height - 38 - gap * (count - 1)) / count);
  const stack = boxHeight * count + gap * (count - 1);
  const top = 30 + (height - 38 - stack) / 2;
  const middle = 30 + (height - 38) / 2;
  const balancer = { x: 272, y: middle - 98, w: 136, h: 196, cx: 340, rows: [50, 88, 108, 132, 150] };
  const replicas = scene.replicas.map((replica, i) => {
    const box = { x: 566, y: top + i * (boxHeight + gap), w: 194, h: boxHeight };
    const centre = box.y + box.h / 2;
    const exit = middle + Math.max(-80, Math.min(80, (centre - middle) * 0.28));
    return placeReplica(replica, box, { many: scene.many, compact: boxHeight < 90 }, (n, at) => [408, exit + spread(n, at, 5, 36), box.x, centre + spread(n, at, 9, box.h - 24), "across"]);
  });
  const entry = (at) => [272, balancer.y + 18 + at * (balancer.h - 36)];
  const left = scene.many ? wideGroups(scene, own, height, balancer) : wideVisitors(scene, height, entry);
  return { width: 772, height, tall: false, balancer, replicas, ...left, axis: [[20, 20, "start"], [340, 20, "middle"], [566, 20, "start"]] };
}

function wideVisitors(scene, height, entry) {
  const n = scene.visitors.length;
  const columns = Math.max(2, Math.ceil((n - 1) * 29 / (height - 68)));
  const pitch = columns > 2 ? 28 : 35.1;
  const step = n > 1 ? Math.min(46, (height - 68) / (n - 1)) : 0;
  const first = 44 + (height - 68 - step * (n - 1)) / 2;
  const visitors = scene.visitors.map((visitor, i) => {
    const [x, y] = [34 + (i % columns) * pitch, first + i * step];
    return { ...visitor, x, y, r: R, path: curve(x + R + 3, y, ...entry(n > 1 ? i / (n - 1) : 0.5)) };
  });
  return { visitors, groups: [] };
}

function wideGroups(scene, own, height, balancer) {
  const groups = groupsOf(scene);
  const room = height - 60 - own.length * OWN;
  const pitch = Math.min(92, room / groups.length);
  const first = 44 + (room - pitch * groups.length) / 2;
  const most = Math.max(1, ...groups.map((group) => group.total));
  const y = first + pitch * groups.length + OWN / 2;
  const visitors = own.map((visitor) => named(visitor, 34, y, curve(34 + R + widthOf(visitor.name), y, 272, balancer.y + balancer.h - 8)));
  return { visitors, groups: groups.map((group, i) => {
    const y = first + (i + 0.5) * pitch;
    const entry = balancer.y + 18 + ((i + 0.5) / groups.length) * (balancer.h - 36);
    return { ...group, x: 20, y, w: 132, h: Math.min(24, pitch * 0.38), scale: 132 / most, path: curve(20 + (group.total / most) * 132 + 50, y, 272, entry) };
  }) };
}

/** A visitor that is drawn beside groups has its name beside it. */
const named = (visitor, x, y, path) => ({ ...visitor, x, y, r: R, path, named: true });
const widthOf = (name) => 12 + name.length * 7.4;

function tallLayout(scene, own) {
  const top = scene.many ? tallGroups(scene, own) : tallVisitors(scene);
  const balancer = { x: 109, y: top.bottom + 100, w: 140, h: 92, cx: 179, rows: [24, 54, null, 76, null] };
  const under = balancer.y + balancer.h;
  const few = scene.replicas.length <= 3;
  const replicas = few ? tallColumns(scene, balancer, under) : tallRows(scene, balancer, under);
  const last = replicas.at(-1);
  const height = (last ? last.y + last.h : under) + (few ? 34 : 12);
  const entered = (item, i, n) => ({ ...item, path: curve(item.x, item.y + item.r + 3, balancer.x + 14 + (n > 1 ? i / (n - 1) : 0.5) * (balancer.w - 28), balancer.y, "down") });
  const visitors = top.visitors.map((visitor, i) => entered(visitor, i, top.visitors.length));
  const groups = top.groups.map((group, i) => ({ ...group, path: besideAndDown(group, i, top, balancer) }));
  return { width: 358, height, tall: true, balancer, replicas, visitors, groups, axis: [[8, 24, "start"]] };
}

function tallVisitors(scene) {
  const n = scene.visitors.length;
  const rows = Math.max(2, Math.ceil((n - 1) * 29 / 318));
  const step = n > 1 ? Math.min(42, 318 / (n - 1)) : 0;
  const first = 20 + (318 - step * (n - 1)) / 2;
  const visitors = scene.visitors.map((visitor, i) => ({ ...visitor, x: first + i * step, y: 52 + (i % rows) * 32, r: 12.5 }));
  return { visitors, groups: [], bottom: 52 + (rows - 1) * 32 };
}

function tallGroups(scene, own) {
  const groups = groupsOf(scene);
  const most = Math.max(1, ...groups.map((group) => group.total));
  const placed = groups.map((group, i) => ({ ...group, x: 8, y: 58 + i * 34, w: 240, h: 14, scale: 240 / most }));
  const bottom = 58 + (groups.length - 1) * 34 + own.length * OWN;
  return { visitors: own.map((visitor) => named(visitor, 24, bottom, null)), groups: placed, bottom };
}

/** From the end of a bar to a lane on the right, down past the other bars, and in from above. */
function besideAndDown(group, i, { bottom, groups }, balancer) {
  const lane = 350 - (groups.length - 1 - i) * 4;
  const below = bottom + 26;
  const entry = balancer.x + 14 + ((i + 0.5) / groups.length) * (balancer.w - 28);
  const begin = group.x + group.total * group.scale + 44;
  return [...line(begin, group.y, lane, group.y), ...line(lane, group.y, lane, below), ...curve(lane, below, entry, balancer.y, "down")];
}

function tallColumns(scene, balancer, under) {
  return scene.replicas.map((replica, i) => {
    const box = { x: 4 + i * 119 + (3 - scene.replicas.length) * 59.5, y: under + 102, w: 112, h: 168 };
    const exit = balancer.cx + (i - (scene.replicas.length - 1) / 2) * 34;
    const way = (n, at) => [exit + spread(n, at, 5, 28), under, box.x + box.w / 2 + spread(n, at, 9, 92), box.y, "down"];
    return placeReplica(replica, box, { many: scene.many, narrow: true }, way);
  });
}

/** More than three, one under the other: a wire runs down its own lane and turns in from the left. */
function tallRows(scene, balancer, under) {
  return scene.replicas.map((replica, i) => {
    const box = { x: 46, y: under + 56 + i * 62, w: 308, h: 54 };
    const [lane, cy] = [38 - i * 3.4, box.y + box.h / 2];
    const exit = balancer.x + 12 + i * 9;
    const path = [...curve(exit, under, lane, under + 48, "down"), ...line(lane, under + 48, lane, cy), ...line(lane, cy, box.x, cy)];
    return { ...placeReplica(replica, box, { many: scene.many, compact: true }, null), bundle: path };
  });
}

/** Box, cells or bars, and one path for each circuit that is held; `bundle` is the path of them all. */
function placeReplica(replica, box, { many, compact = false, narrow = false }, way) {
  const cells = [...replica.held, ...replica.waiting, ...replica.orphan];
  const pad = narrow ? 10 : 16;
  const area = { x: box.x + pad, y: box.y + (compact ? 28 : 58), w: box.w - 2 * pad, h: box.h - (compact ? 34 : 68) };
  const fit = many ? null : fitCells(area.w, area.h, cells.length);
  const wires = way ? replica.held.map((cell, i) => ({ id: cell.id, path: curve(...way(replica.held.length, i)) })) : [];
  const bundle = way ? curve(...way(1, 0)) : null;
  return { ...replica, ...box, compact, narrow, area, fit, cells: fit ? placeCells(replica, area, fit) : [], wires, bundle };
}

function placeCells(replica, area, { size, gap, columns, labelled }) {
  const all = ["held", "waiting", "orphan"].flatMap((kind) => replica[kind].map((cell) => ({ ...cell, kind })));
  return all.map((cell, i) => ({
    ...cell,
    size,
    labelled,
    x: area.x + (i % columns) * (size + gap),
    y: area.y + Math.floor(i / columns) * (size + gap),
  }));
}

/** The offset of the i-th of n lines around a middle, at most `step` apart and `most` in all. */
function spread(n, i, step, most) {
  return (i - (n - 1) / 2) * Math.min(step, most / Math.max(1, n - 1));
}
