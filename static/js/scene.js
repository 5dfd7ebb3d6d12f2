/** What the picture is about: visitors, replicas and the memory between them, out of the state. Pure. */
import { numberOf, replicasInOrder } from "./store.js";
import { isConnected, isRefused } from "./verdict.js";

/** Beyond this many, visitors are drawn as one bar per replica and state. */
export const DRAWN_SINGLY = 60;

/**
 * `{visitors, replicas, balancer, many}`. A visitor's `look` is kept, lost, refused or waiting. A replica has
 * its circuits sorted: held (connected), waiting (its visitor is away), orphan (nobody will come back).
 */
export function makeScene(state) {
  if (!made.has(state)) made.set(state, sceneOf(state));
  return made.get(state);
}

/** A state is never changed once it is there: picture, table and rows share what was made of it. */
const made = new WeakMap();

function sceneOf(state) {
  const people = Object.entries(state.people ?? {}).sort(([a], [b]) => order(a) - order(b) || (a < b ? -1 : 1));
  const visitors = people.map(([name, person]) => ({ name, label: labelOf(name), replica: person.replica ?? null, look: lookOf(person) }));
  const replicas = replicasInOrder(state).map((replica) => ({ ...replica, held: [], waiting: [], orphan: [] }));
  const byName = Object.fromEntries(replicas.map((replica) => [replica.name, replica]));
  for (const [id, circuit] of Object.entries(state.circuits ?? {})) {
    const cell = { id, visitor: circuit.visitor, label: labelOf(circuit.visitor) };
    byName[circuit.replica]?.[kindOf(state.people ?? {}, id, circuit)].push(cell);
  }
  for (const replica of replicas) {
    for (const kind of ["held", "waiting", "orphan"]) replica[kind].sort((a, b) => order(a.visitor) - order(b.visitor));
  }
  return { visitors, replicas, balancer: state.balancer ?? {}, many: visitors.length > DRAWN_SINGLY };
}

/** Per replica, and null for those without memory: how many are connected, lost, refused, waiting. */
export function groupsOf(scene) {
  const groups = new Map([...scene.replicas.map((replica) => replica.name), null].map((name) => [name, { name, kept: 0, lost: 0, refused: 0, waiting: 0, total: 0 }]));
  for (const visitor of scene.visitors) {
    const group = groups.get(visitor.replica) ?? groups.get(null);
    group[visitor.look] += 1;
    group.total += 1;
  }
  return [...groups.values()].filter((group) => group.name !== null || group.total > 0);
}

/** `7` of visitor-7; the first letters of a browser's own name. */
export function labelOf(name) {
  if (!name) return "?";
  if (name.startsWith("visitor-")) return name.slice(8);
  return name.replace(/^browser-/, "").slice(0, 2);
}

function lookOf(person) {
  if (isRefused(person)) return "refused";
  if (!isConnected(person)) return "waiting";
  return person.memory === "lost" ? "lost" : "kept";
}

function kindOf(people, id, circuit) {
  if (circuit.connected) return "held";
  return people[circuit.visitor]?.circuit === id ? "waiting" : "orphan";
}

/** Virtual visitors by number, then browsers. */
function order(name) {
  return name?.startsWith("visitor-") ? numberOf(name) : 1e9;
}
