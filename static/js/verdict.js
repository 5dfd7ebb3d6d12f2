/** The sentence a page begins with, made from the state. Pure. */
import { replicasInOrder } from "./store.js";
import { inWords, megabytes, plural, sentence } from "./units.js";

/**
 * Who is where, counted: total, connected (of these kept, lost, fresh: here for the first time), refused,
 * waiting. Visitors that the crowd was asked for but that nobody heard of yet count as waiting.
 */
export function census(state) {
  const people = Object.values(state?.people ?? {});
  const virtual = people.filter((person) => person.kind !== "browser").length;
  const asked = state?.visitors?.phase === "stopped" ? 0 : (state?.visitors?.count ?? 0);
  const count = { total: people.length + Math.max(0, asked - virtual), connected: 0, kept: 0, lost: 0, fresh: 0, refused: 0, waiting: 0 };
  for (const person of people) {
    if (isConnected(person)) count.connected += 1;
    if (isConnected(person)) count[MEMORY[person.memory] ?? "fresh"] += 1;
    if (isRefused(person)) count.refused += 1;
  }
  count.waiting = count.total - count.connected - count.refused;
  return count;
}

const MEMORY = { kept: "kept", lost: "lost" };

export const isConnected = (person) => person.status === "connected";
export const isRefused = (person) => person.status === "refused" || person.status === "failed";

/** The affinity lab's `{tone, title, more}`; tone is ok, refused, warn, info or busy. */
export function affinityVerdict(state, waited = 0) {
  const phase = state?.affinity_lab?.phase ?? "connecting";
  const error = state?.affinity_lab?.error ?? state?.balancer?.error;
  if (phase === "connecting") return verdict("busy", "Connecting to the lab", "");
  if (phase === "failed") return failed("The lab could not start", error);
  if (phase === "stopped") return verdict("info", "No replicas yet", "Launch three replicas behind a load balancer, send visitors, and see who remembers them.");
  if (phase === "starting") return verdict("busy", `Starting the lab${after(waited)}`, progress(state));
  if (phase === "stopping") return verdict("busy", `Stopping the lab${after(waited)}`, "Replicas, balancer and visitors go away, and their memory with them.");
  if (state.balancer?.phase === "failed") return failed("The balancer is away", error);
  return running(state);
}

/** Hello-Go's `{tone, title, more}`. */
export function helloVerdict(state, waited = 0) {
  const hello = state?.hello_go;
  if (!hello) return verdict("busy", "Connecting to the lab", "");
  const steps = Object.values(hello.build?.steps ?? {});
  if (hello.build?.phase === "running") return verdict("busy", `Building${stepOf(hello, steps)}${after(waited)}`, hello.build.name === "hello-go-single" ? "One image: what builds is also what runs." : "Two images out of one Dockerfile. The big one builds, the small one runs.");
  if (failureStands(hello) && hello.phase !== "starting") return verdict("refused", "The build failed", `${complaintOf(hello.build)} Mend it and build again.`);
  if (hello.phase === "failed") return failed("Hello-Go could not start", hello.error);
  if (hello.phase === "starting") return verdict("busy", `Launching Hello-Go${after(waited)}`, "The program is started and asked until it answers.");
  if (hello.phase === "stopping") return verdict("busy", `Stopping Hello-Go${after(waited)}`, "");
  if (hello.comparing) return verdict("busy", "Comparing the images", `${sentence(hello.comparing)}${after(waited)}.`);
  if (hello.phase === "running") return verdict("ok", `Hello-Go answers on port ${portOf(hello.url)}`, called(hello));
  if (hello.images?.build && hello.image?.layers?.length) return compared(hello);
  if (hello.image) return verdict("ok", `Built: the ${madeBy(state)} has ${megabytes(hello.image.size)}`, "The compiler stays behind. Launch it, then call it.");
  return verdict("info", "Hello-Go is not built yet", "Build it and watch each step, or launch it at once: that builds first.");
}

/** The last build failed, and that still matters: it was not one of other sources than these, which are built. */
export function failureStands({ build, image, sources }) {
  return build?.phase === "failed" && (!sources || image?.sources !== sources || build.sources === sources);
}

function complaintOf({ complaints }) {
  const first = complaints?.[0];
  return first ? `${first.file}, line ${first.line}: ${first.text}.` : "The last lines of its step say why.";
}

/** The lesson in one line, as soon as both sides of it are measured. */
function compared({ images, image }) {
  const number = (bytes) => (bytes < 1e8 ? (bytes / 1e6).toFixed(1) : String(Math.round(bytes / 1e6)));
  if (image.role === "single") return verdict("warn", `The compiler came along: ${number(image.size)} MB`, "One stage builds and runs, so the toolchain is in what you ship. Choose multi-stage and build again.");
  return verdict("ok", `The compiler stays behind: ${number(images.build.size)} MB becomes ${number(image.size)}`, "Two images out of one Dockerfile. The big one builds, the small one runs.");
}

/** The port of `http://127.0.0.1:8080`. */
export const portOf = (url) => /:(\d+)/.exec(url ?? "")?.[1] ?? "?";

function running(state) {
  const people = census(state);
  const replicas = replicasInOrder(state);
  const down = replicas.filter((replica) => replica.phase === "failed").map((replica) => replica.name);
  const frozen = replicas.filter((replica) => replica.phase === "frozen").map((replica) => replica.name);
  const note = are(down, "down") + are(frozen, "frozen");
  const mode = state.balancer?.affinity?.mode;
  const on = mode !== "none";
  if (people.total === 0) return verdict("info", `${sentence(inWords(replicas.length, "replica"))} ${replicas.length === 1 ? "waits" : "wait"} for visitors`, `Send some with the numbers on the left, or open the app as a visitor yourself.${note}`);
  if (people.refused > 0) return verdict("refused", `${some(people.refused, people.total)} could not connect`, whyRefused(people, on) + note);
  if (people.waiting > 0) return verdict("info", `${people.connected} of ${plural(people.total, "visitor")} ${people.connected === 1 ? "is" : "are"} connected`, `${sentence(inWords(people.waiting, "visitor"))} ${people.waiting === 1 ? "is" : "are"} on the way.${note}`);
  if (people.lost > 0) return verdict("warn", `${some(people.lost, people.total)} came back without ${its(people.lost)} memory`, whyLost(people) + note);
  const stuck = Object.values(state.people).filter((person) => isConnected(person) && frozen.includes(person.replica)).length;
  if (stuck > 0) return verdict("warn", `${some(stuck, people.total)} ${people.total === 1 || stuck === 1 ? "gets" : "get"} no answer`, `${sentence(listed(frozen))} ${frozen.length > 1 ? "are" : "is"} frozen: memory and connections are there, but nothing moves.${are(down, "down")}`);
  const all = people.total === 1 ? "The visitor is with its memory" : `All ${people.total} visitors are with their memory`;
  return verdict("ok", all, (KEEPS[mode] ?? KEEPS.none) + note);
}

const KEEPS = {
  none: "Nothing keeps them there: drop the connections and look again.",
  cookie: "The cookie takes each of them to the replica that knows them.",
  source_ip: "The address of each decides for a replica, and that one knows them.",
};
const are = (names, what) => (names.length > 0 ? ` ${listed(names)} ${names.length > 1 ? "are" : "is"} ${what}.` : "");

function whyRefused(people, on) {
  const them = people.total === 1 ? "it" : "them";
  const why = on ? `Replicas were asked that do not know ${them}.` : `The balancer asked replicas that do not know ${them}.`;
  const rest = [people.kept > 0 && `${people.kept} kept ${its(people.kept)} memory`, people.lost > 0 && `${people.lost} lost ${people.kept > 0 ? "it" : `${its(people.lost)} memory`}`, people.fresh > 0 && `${people.fresh} connected`].filter(Boolean);
  return rest.length > 0 ? `${why} ${rest.join(", ")}.` : why;
}

function whyLost(people) {
  const kept = people.kept > 0 ? ` ${people.kept} kept ${its(people.kept)} memory.` : "";
  const fresh = people.fresh > 0 ? ` ${people.fresh} ${people.fresh === 1 ? "is" : "are"} here for the first time.` : "";
  return `${people.lost === 1 ? "It" : "They"} reached a replica without that memory and began anew.${kept}${fresh}`;
}

/** `Running: replica-1 and replica-2. Starting: replica-3 and the balancer.` */
function progress(state) {
  const parts = replicasInOrder(state).map((replica) => [replica.name, replica.phase]);
  if (state.balancer) parts.push(["the balancer", state.balancer.phase]);
  const of = (phase) => listed(parts.filter((part) => part[1] === phase).map(([name]) => name));
  const texts = ["running", "starting"].filter(of).map((phase) => `${sentence(phase)}: ${of(phase)}.`);
  return texts.join(" ") || "Waiting for the engine.";
}

function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function failed(title, error) {
  if (!error) return verdict("refused", title, "");
  return verdict("refused", error.message, error.hint);
}

function called(hello) {
  const last = hello.calls?.last;
  return last ? `The last call got ${last.status} ${JSON.stringify(last.body.trim())} in ${last.ms} ms.` : "Call it, from here or from your own terminal.";
}

function stepOf(hello, steps) {
  return hello.build.total ? `: step ${steps.length} of ${hello.build.total}` : "";
}

/** `12 of 20 visitors`; of one there is nothing to count. */
const some = (count, total) => (total === 1 ? "The visitor" : `${count} of ${plural(total, "visitor")}`);
const its = (count) => (count === 1 ? "its" : "their");
const madeBy = (state) => (state.engine?.name === "docker" ? "image" : "program");
const after = (waited) => (waited >= 2 ? `, ${Math.floor(waited)} s` : "");
const verdict = (tone, title, more) => ({ tone, title, more });
