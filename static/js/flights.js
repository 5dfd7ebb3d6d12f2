/** Requests that travel: dots on a canvas over the picture, of what the balancer really saw. */
import { onPaint, paintOf } from "./canvas_paint.js";
import { join, requestsOf, sizeOf } from "./flock.js";
import { pointAt } from "./path.js";

const IN = 520;
const INSIDE = 90;
const OUT = 620;
const REST = 1100;
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** A canvas over `frame`; `geometryOf()` gives the paths as the picture drew them last, `onSeen` hears that one looks. */
export function createFlights(frame, geometryOf, onSeen = () => {}) {
  const canvas = document.createElement("canvas");
  canvas.className = "flights";
  canvas.setAttribute("aria-hidden", "true");
  frame.append(canvas);
  const flights = { canvas, context: canvas.getContext("2d"), geometryOf, dots: [], flown: 0, seen: true, running: false, paint: null };
  new IntersectionObserver(([entry]) => {
    flights.seen = entry.isIntersecting;
    if (flights.seen) onSeen();
  }).observe(frame);
  onPaint(() => (flights.paint = null));
  return flights;
}

/** Let the requests among these events travel; none while nobody looks. */
export function fly(flights, events) {
  const requests = requestsOf(events);
  if (requests.length === 0 || document.hidden || !flights.seen) return;
  flights.dots = join(flights.dots, requests, performance.now());
  flights.flown += requests.length;
  flights.canvas.dataset.flown = flights.flown;
  if (flights.running) return;
  flights.running = true;
  next(flights);
}

/** Where nothing moves, four looks a second are enough to let what arrived go. */
function next(flights) {
  if (still.matches) setTimeout(() => frame(flights, performance.now()), 250);
  else requestAnimationFrame((now) => frame(flights, now));
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
  flights.paint ??= { ...paintOf(canvas.parentElement, ["ok", "refused", "stage", "on-verdict"]), sans: getComputedStyle(canvas).fontFamily };
  flights.dots = flights.dots.filter((dot) => now - dot.at < IN + INSIDE + OUT + REST);
  for (const dot of flights.dots) drawDot(context, scale, flights.paint, dot, place(geometry, dot, now - dot.at));
  flights.running = flights.dots.length > 0 && flights.seen;
  if (!flights.running) {
    flights.dots = [];
    context.clearRect(0, 0, canvas.width, canvas.height);
  } else next(flights);
}

/** Where a dot is, in the picture's own units, and whether it has arrived. */
function place(geometry, dot, age) {
  const replica = geometry.replicas.find((box) => box.name === dot.replica);
  if (age < 0) return null;
  if (dot.replica === null) return toBalancer(geometry, dot, age);
  if (!replica?.bundle) return null;
  const arrived = age >= IN + INSIDE + OUT;
  if (still.matches || arrived) return { at: pointAt(replica.bundle, 1), arrived: true, age: arrived ? age - IN - INSIDE - OUT : 0 };
  if (age < IN) return { at: pointAt(entrance(geometry, dot.visitor), ease(age / IN)), arrived: false };
  if (age < IN + INSIDE) return null;
  return { at: pointAt(replica.bundle, ease((age - IN - INSIDE) / OUT)), out: true, arrived: false };
}

/** Nobody was there to take it: it ends where it came in. */
function toBalancer(geometry, dot, age) {
  const arrived = still.matches || age >= IN;
  const at = pointAt(entrance(geometry, dot.visitor), arrived ? 1 : ease(age / IN));
  return { at, arrived, age: Math.max(0, age - IN - INSIDE - OUT) };
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
  const size = sizeOf(dot) * scaleX;
  if (dot.wrong && place.arrived) shapeDiamond(context, x, y, size + 4.5 * scaleX);
  else context.arc(x, y, size, 0, 7);
  context.fill();
  context.stroke();
  if (dot.many > 9) number(context, x, y, dot.many, scaleX, paint);
  context.globalAlpha = 1;
}

/** How many requests a dot stands for, where there is room to say it. */
function number(context, x, y, many, scale, paint) {
  context.fillStyle = paint["on-verdict"];
  context.font = `700 ${(many > 99 ? 10 : 11) * scale}px ${paint.sans}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(many), x, y);
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

const ease = (t) => t * t * (3 - 2 * t);

function hash(text) {
  let sum = 0;
  for (const letter of text ?? "") sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return sum;
}
