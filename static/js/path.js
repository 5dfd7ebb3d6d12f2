/** Paths as lists of cubic segments [x0, y0, x1, y1, x2, y2, x3, y3]. Pure. */

/** One smooth curve that leaves and arrives along an axis: `across` for the wide picture, `down` for the tall one. */
export function curve(ax, ay, bx, by, axis = "across") {
  const [mx, my] = [(ax + bx) / 2, (ay + by) / 2];
  return axis === "across" ? [[ax, ay, mx, ay, mx, by, bx, by]] : [[ax, ay, ax, my, bx, my, bx, by]];
}

/** A straight line, as a segment. */
export const line = (ax, ay, bx, by) => [[ax, ay, ax + (bx - ax) / 3, ay + (by - ay) / 3, ax + ((bx - ax) * 2) / 3, ay + ((by - ay) * 2) / 3, bx, by]];

/** The `d` of an SVG path. */
export function toD(path) {
  return path.map((p, i) => `${i === 0 ? `M${r(p[0])} ${r(p[1])}` : ""}C${[p[2], p[3], p[4], p[5], p[6], p[7]].map(r).join(" ")}`).join("");
}

/** The point at `t` from 0 to 1 of the whole way, by the segments' lengths. */
export function pointAt(path, t) {
  const lengths = path.map((p) => Math.hypot(p[6] - p[0], p[7] - p[1]) || 0.001);
  let left = Math.min(1, Math.max(0, t)) * lengths.reduce((sum, length) => sum + length, 0);
  for (let i = 0; i < path.length; i += 1) {
    if (left <= lengths[i] || i === path.length - 1) return on(path[i], Math.min(1, left / lengths[i]));
    left -= lengths[i];
  }
  return [0, 0];
}

/** The first part of a one-segment path, up to `t`, and the short stroke across its end. */
export function cut([p], t, half = 5) {
  const mix = (a, b) => a + (b - a) * t;
  const [ax, ay, bx, by, cx, cy] = [mix(p[0], p[2]), mix(p[1], p[3]), mix(p[2], p[4]), mix(p[3], p[5]), mix(p[4], p[6]), mix(p[5], p[7])];
  const [dx, dy, ex, ey] = [mix(ax, bx), mix(ay, by), mix(bx, cx), mix(by, cy)];
  const [fx, fy] = [mix(dx, ex), mix(dy, ey)];
  const length = Math.hypot(ex - dx, ey - dy) || 1;
  const [nx, ny] = [(-(ey - dy) / length) * half, ((ex - dx) / length) * half];
  return { path: [[p[0], p[1], ax, ay, dx, dy, fx, fy]], stop: `M${r(fx - nx)} ${r(fy - ny)}L${r(fx + nx)} ${r(fy + ny)}` };
}

/** A diamond around a point. */
export const diamond = (x, y, size) => `M${r(x)} ${r(y - size)}L${r(x + size)} ${r(y)}L${r(x)} ${r(y + size)}L${r(x - size)} ${r(y)}Z`;

/** A triangle on its base, around a point. */
export const triangle = (x, y, size) => `M${r(x)} ${r(y - size)}L${r(x + size)} ${r(y + size * 0.8)}L${r(x - size)} ${r(y + size * 0.8)}Z`;

function on(p, t) {
  const u = 1 - t;
  const [a, b, c, d] = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
  return [a * p[0] + b * p[2] + c * p[4] + d * p[6], a * p[1] + b * p[3] + c * p[5] + d * p[7]];
}

const r = (number) => Math.round(number * 10) / 10;
