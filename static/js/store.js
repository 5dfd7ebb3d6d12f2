/** Events in, state out: one workspace as this page knows it. Pure: no DOM, no network, no clock. */
import { mergePatch } from "./merge_patch.js";

/** The newest events, kept in memory; the log fetches older ones where somebody looks. */
const KEPT = 5000;

/** An empty store. `state` is null until the first snapshot; `events` is contiguous, oldest first. */
export function createStore(kept = KEPT) {
  return { state: null, events: [], last: 0, kept };
}

/**
 * True when the page cannot go on from what it has: the workspace began anew (its numbers went back, or
 * what came after `last` is gone), or too much was missed. `events` are those after `last`.
 */
export function mustBeginAnew(store, snapshot, events) {
  if (store.last === 0) return false;
  const next = events[0]?.seq ?? snapshot.seq + 1;
  return snapshot.seq < store.last || next > store.last + 1 || snapshot.seq - store.last > store.kept;
}

/** Forget everything; the next snapshot is the first. */
export function forget(store) {
  store.state = null;
  store.events = [];
  store.last = 0;
}

/**
 * Take the answer of `watch`: a snapshot and the events after `last`, or the newest when `last` was 0.
 * Returns the events that were new, in order.
 */
export function takeSnapshot(store, snapshot, events) {
  if (store.last === 0) store.last = (events[0]?.seq ?? snapshot.seq + 1) - 1;
  store.state = fromSnapshot(snapshot);
  return takeEvents(store, events).fresh;
}

/**
 * Take live events, in order. Those already known are dropped. Stops before a hole and says `gap`, and the
 * caller asks again from `store.last`.
 */
export function takeEvents(store, events) {
  const fresh = [];
  const made = new Set();
  let gap = false;
  for (const event of events) {
    if (event.seq <= store.last) continue;
    if (event.seq > store.last + 1) {
      gap = true;
      break;
    }
    store.last = event.seq;
    fresh.push(event);
    foldInto(store, event, made);
  }
  append(store, fresh);
  return { fresh, gap };
}

/** The snapshot's list of replicas becomes a map by name, because patches address them so. */
export function fromSnapshot(snapshot) {
  const { replicas = {} } = snapshot;
  const byName = Array.isArray(replicas) ? Object.fromEntries(replicas.map((replica) => [replica.name, replica])) : replicas;
  return { ...snapshot, replicas: byName };
}

/** Replicas in the order of their numbers: replica-2 before replica-10. Each has its name. */
export function replicasInOrder(state) {
  const named = Object.entries(state?.replicas ?? {}).map(([name, replica]) => ({ ...replica, name }));
  return named.sort((a, b) => numberOf(a.name) - numberOf(b.name));
}

/** The number at the end of a name: 7 of `visitor-7`; 0 where there is none. */
export function numberOf(name) {
  return Number(/(\d+)$/.exec(name ?? "")?.[1] ?? 0);
}

/** A snapshot already holds every patch up to its own seq. */
function foldInto(store, event, made) {
  if (store.state === null || event.seq <= store.state.seq) return;
  store.state = mergePatch(store.state, event.patch ?? {}, made);
  store.state.seq = event.seq;
}

/** Appends in place and trims in big steps, so that three hundred events a second cost nothing. */
function append(store, fresh) {
  for (const event of fresh) store.events.push(event);
  if (store.events.length > store.kept * 1.2) store.events = store.events.slice(-store.kept);
}
