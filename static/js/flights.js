/** Requests that travel: one dot for each that the balancer really saw, on a canvas over the picture. */
import { pointAt } from "./path.js";

const IN = 520;
const INSIDE = 90;
const OUT = 620;
const REST = 1100;
const AT_ONCE = 400;
const KINDS = new Set(["connection.negotiated", "connection.routed", "connection.refused", "page.served"]);
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** A canvas over `frame`; `geometryOf()` gives the paths as the picture drew them last. */
export function createFlights(frame, geometryOf) {
  const canvas = document.createElement("canvas");
  canvas.className = "flights";
  canvas.setAttribute("aria-hidden", "true");
  frame.append(canvas);
  const flights = { canvas, context: canvas.getContext("2d"), geometryOf, dots: [], flown: 0, seen: true, running: false, paint: null };
  new IntersectionObserver(([entry]) => (flights.seen = entry.isIntersecting)).observe(frame);
  const repaint = () => (flights.paint = null);
  document.addEventListener("themechange", repaint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  return flights;
}

/** Let the requests among these events travel; none while nobody looks. */
export function fly(flights, events) {
  const requests = events.filter((event) => KINDS.has(event.kind));
  if (requests.length === 0 || document.hidden || !flights.seen) return;
  const first = Date.parse(requests[0].at);
  const begin = performance.now();
  for (const event of requests) {
    const delay = Math.min(300, Date.parse(event.at) - first);
    flights.dots.push({ visitor: event.data?.visitor, replica: event.data?.replica ?? event.source, wrong: event.kind === "connection.refused", at: begin + delay });
    flights.flown += 1;
  }
  flights.dots = flights.dots.slice(-AT_ONCE);
  flights.canvas.dataset.flown = flights.flown;
  if (!flights.running) {
    flights.running = true;
    requestAnimationFrame((now) => frame(flights, now));
  }
}

/** The connection is lost: what was under way is not known any more. */
export function land(flights) {
  flights.dots = [];
}

function frame(flights, now) {
  const { canvas, context } = flights;
  const geometry = flights.geometryOf();
  const scale = fit(canvas, geometry);
  context.clearRect(0, 0, canvas.width, canvas.height);
  flights.paint ??= colours(canvas);
  flights.dots = flights.dots.filter((dot) => now - dot.at < IN + INSIDE + OUT + REST);
  for (const dot of flights.dots) drawDot(context, scale, flights.paint, dot, place(geometry, dot, now - dot.at));
  flights.running = flights.dots.length > 0 && flights.seen;
  if (!flights.running) {
    flights.dots = [];
    context.clearRect(0, 0, canvas.width, canvas.height);
  } else requestAnimationFrame((later) => frame(flights, later));
}

/** Where a dot is, in the picture's own units, and whether it has arrived. */
function place(geometry, dot, age) {
  const replica = geometry.replicas.find((box) => box.name === dot.replica);
  if (!replica?.bundle || age < 0) return null;
  const arrived = age >= IN + INSIDE + OUT;
  if (still.matches || arrived) return { at: pointAt(replica.bundle, 1), arrived: true, age: arrived ? age - IN - INSIDE - OUT : 0 };
  if (age < IN) return { at: pointAt(entrance(geometry, dot.visitor), ease(age / IN)), arrived: false };
  if (age < IN + INSIDE) return null;
  return { at: pointAt(replica.bundle, ease((age - IN - INSIDE) / OUT)), out: true, arrived: false };
}

/** A visitor's own wire, the bar of its group, or the way in for somebody not drawn yet. */
function entrance(geometry, name) {
  const found = geometry.visitors.find((visitor) => visitor.name === name) ?? geometry.groups[hash(name) % (geometry.groups.length || 1)];
  return found?.path ?? stranger(geometry);
}

function stranger({ tall, balancer }) {
  const to = tall ? [balancer.cx, balancer.y] : [balancer.x, balancer.y + balancer.h / 2];
  const from = tall ? [to[0], 40] : [60, to[1]];
  return [[...from, ...from, ...to, ...to]];
}

function drawDot(context, { x: scaleX }, paint, dot, place) {
  if (!place) return;
  if (place.arrived && !dot.wrong && place.age > 160) return;
  const [x, y] = place.at.map((value) => value * scaleX);
  const fade = place.arrived ? Math.max(0, 1 - place.age / REST) : 1;
  context.globalAlpha = Math.min(1, fade * 1.6);
  context.fillStyle = dot.wrong && (place.out || place.arrived) ? paint.refused : paint.ok;
  context.strokeStyle = paint.stage;
  context.lineWidth = 1.5 * scaleX;
  context.beginPath();
  if (dot.wrong && place.arrived) shapeDiamond(context, x, y, 9 * scaleX);
  else context.arc(x, y, 4.5 * scaleX, 0, 7);
  context.fill();
  context.stroke();
  context.globalAlpha = 1;
}

function shapeDiamond(context, x, y, size) {
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.closePath();
}

/** The canvas has as many pixels as it covers; returns pixels per unit of the picture. */
function fit(canvas, geometry) {
  const ratio = globalThis.devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return { x: width / geometry.width };
}

/** Canvas needs resolved colours; elements of the page's own classes have them. */
function colours(canvas) {
  const resolved = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    canvas.parentElement.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
  return { ok: resolved("ok"), refused: resolved("refused"), stage: resolved("stage") };
}

const ease = (t) => t * t * (3 - 2 * t);

function hash(text) {
  let sum = 0;
  for (const letter of text ?? "") sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return sum;
}
