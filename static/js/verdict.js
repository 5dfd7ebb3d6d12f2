/** The sentence a page begins with, made from the state. Pure. */
import { replicasInOrder } from "./store.js";
import { number, recorded, t, tn } from "./text.js";
import { grouped, inWords, listed, megabytes, sentence } from "./units.js";

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
  if (phase === "connecting") return verdict("busy", t("Connecting to the lab"), "");
  if (phase === "failed") return failed(t("The lab could not start"), error);
  if (phase === "stopped") return verdict("info", t("No replicas yet"), t("Launch three replicas behind a load balancer, send visitors, and see who remembers them."));
  if (phase === "starting") return verdict("busy", t("Starting the lab") + after(waited), progress(state));
  if (phase === "stopping") return verdict("busy", t("Stopping the lab") + after(waited), t("Replicas, balancer and visitors go away, and their memory with them."));
  if (state.balancer?.phase === "failed") return failed(t("The balancer is away"), error);
  return running(state);
}

/** Hello-Go's `{tone, title, more}`. */
export function helloVerdict(state, waited = 0) {
  const hello = state?.hello_go;
  if (!hello) return verdict("busy", t("Connecting to the lab"), "");
  const steps = Object.values(hello.build?.steps ?? {});
  if (hello.build?.phase === "running") return verdict("busy", building(hello, steps) + after(waited), hello.build.name === "hello-go-single" ? t("One image: what builds is also what runs.") : t("Two images out of one Dockerfile. The big one builds, the small one runs."));
  if (failureStands(hello) && hello.phase !== "starting") return verdict("refused", t("The build failed"), `${complaintOf(hello.build)} ${t("Mend it and build again.")}`);
  if (hello.phase === "failed") return failed(t("Hello-Go could not start"), hello.error);
  if (hello.phase === "starting") return verdict("busy", t("Launching Hello-Go") + after(waited), t("The program is started and asked until it answers."));
  if (hello.phase === "stopping") return verdict("busy", t("Stopping Hello-Go") + after(waited), "");
  if (hello.comparing) return verdict("busy", t("Comparing the images"), `${sentence(recorded(hello.comparing))}${after(waited)}.`);
  if (hello.phase === "running") return verdict("ok", t("Hello-Go answers on port %(port)s", { port: portOf(hello.url) }), called(hello));
  if (hello.images?.build && hello.image?.layers?.length) return compared(hello);
  if (hello.image) return verdict("ok", built(state, megabytes(hello.image.size)), t("The compiler stays behind. Launch it, then call it."));
  return verdict("info", t("Hello-Go is not built yet"), t("Build it and watch each step, or launch it at once: that builds first."));
}

/** The last build failed, and that still matters: it was not one of other sources than these, which are built. */
export function failureStands({ build, image, sources }) {
  return build?.phase === "failed" && (!sources || image?.sources !== sources || build.sources === sources);
}

function complaintOf({ complaints }) {
  const first = complaints?.[0];
  return first ? t("%(file)s, line %(line)s: %(text)s.", first) : t("The last lines of its step say why.");
}

/** The lesson in one line, as soon as both sides of it are measured. */
function compared({ images, image }) {
  const mb = (bytes) => number(bytes / 1e6, bytes < 1e8 ? 1 : 0);
  if (image.role === "single") return verdict("warn", t("The compiler came along: %(size)s MB", { size: mb(image.size) }), t("One stage builds and runs, so the toolchain is in what you ship. Choose multi-stage and build again."));
  return verdict("ok", t("The compiler stays behind: %(before)s MB becomes %(after)s", { before: mb(images.build.size), after: mb(image.size) }), t("Two images out of one Dockerfile. The big one builds, the small one runs."));
}

/** The port of `http://127.0.0.1:8080`. */
export const portOf = (url) => /:(\d+)/.exec(url ?? "")?.[1] ?? "?";

function running(state) {
  const people = census(state);
  const replicas = replicasInOrder(state);
  const down = replicas.filter((replica) => replica.phase === "failed").map((replica) => replica.name);
  const frozen = replicas.filter((replica) => replica.phase === "frozen").map((replica) => replica.name);
  const note = areDown(down) + areFrozen(frozen);
  const mode = state.balancer?.affinity?.mode;
  const on = mode !== "none";
  if (people.total === 0) return verdict("info", tn("One replica waits for visitors", "%(n)s replicas wait for visitors", replicas.length, { n: sentence(inWords(replicas.length)) }), t("Send some with the numbers on the left, or open the app as a visitor yourself.") + note);
  if (people.refused > 0) return verdict("refused", notConnected(people), whyRefused(people, on) + note);
  if (people.waiting > 0) return verdict("info", partlyConnected(people), tn("One visitor is on the way.", "%(n)s visitors are on the way.", people.waiting, { n: sentence(inWords(people.waiting)) }) + note);
  if (people.lost > 0) return verdict("warn", withoutMemory(people), whyLost(people) + note);
  const stuck = Object.values(state.people).filter((person) => isConnected(person) && frozen.includes(person.replica)).length;
  if (stuck > 0) return verdict("warn", unanswered(stuck, people.total), tn("%(names)s is frozen: memory and connections are there, but nothing moves.", "%(names)s are frozen: memory and connections are there, but nothing moves.", frozen.length, { names: sentence(listed(frozen)) }) + areDown(down));
  const all = people.total === 1 ? t("The visitor is with its memory") : t("All %(total)s visitors are with their memory", { total: people.total });
  return verdict("ok", all, (KEEPS[mode] ?? KEEPS.none) + note);
}

const KEEPS = {
  none: t("Nothing keeps them there: drop the connections and look again."),
  cookie: t("The cookie takes each of them to the replica that knows them."),
  source_ip: t("The address of each decides for a replica, and that one knows them."),
};
const areDown = (names) => (names.length > 0 ? ` ${tn("%(names)s is down.", "%(names)s are down.", names.length, { names: listed(names) })}` : "");
const areFrozen = (names) => (names.length > 0 ? ` ${tn("%(names)s is frozen.", "%(names)s are frozen.", names.length, { names: listed(names) })}` : "");

/** `12 of 20 visitors`; of one there is nothing to count. */
const notConnected = ({ refused, total }) => (total === 1 ? t("The visitor could not connect") : tn("%(n)s of %(total)s visitors could not connect", "%(n)s of %(total)s visitors could not connect", refused, { n: refused, total: grouped(total) }));

function partlyConnected({ connected, total }) {
  if (total === 1) return t("0 of 1 visitor are connected");
  return tn("%(n)s of %(total)s visitors is connected", "%(n)s of %(total)s visitors are connected", connected, { n: connected, total: grouped(total) });
}

function withoutMemory({ lost, total }) {
  if (total === 1) return t("The visitor came back without its memory");
  return tn("%(n)s of %(total)s visitors came back without its memory", "%(n)s of %(total)s visitors came back without their memory", lost, { n: lost, total: grouped(total) });
}

function unanswered(stuck, total) {
  if (total === 1) return t("The visitor gets no answer");
  return tn("%(n)s of %(total)s visitors gets no answer", "%(n)s of %(total)s visitors get no answer", stuck, { n: stuck, total: grouped(total) });
}

function whyRefused(people, on) {
  const { total, kept, lost, fresh } = people;
  const why = on
    ? tn("Replicas were asked that do not know it.", "Replicas were asked that do not know them.", total)
    : tn("The balancer asked replicas that do not know it.", "The balancer asked replicas that do not know them.", total);
  const rest = [
    kept > 0 && tn("%(n)s kept its memory", "%(n)s kept their memory", kept, { n: kept }),
    lost > 0 && (kept > 0 ? tn("%(n)s lost it", "%(n)s lost it", lost, { n: lost }) : tn("%(n)s lost its memory", "%(n)s lost their memory", lost, { n: lost })),
    fresh > 0 && t("%(n)s connected", { n: fresh }),
  ].filter(Boolean);
  return rest.length > 0 ? `${why} ${rest.join(", ")}.` : why;
}

function whyLost(people) {
  const { lost, kept, fresh } = people;
  const texts = [
    tn("It reached a replica without that memory and began anew.", "They reached a replica without that memory and began anew.", lost),
    kept > 0 && `${tn("%(n)s kept its memory", "%(n)s kept their memory", kept, { n: kept })}.`,
    fresh > 0 && tn("%(n)s is here for the first time.", "%(n)s are here for the first time.", fresh, { n: fresh }),
  ];
  return texts.filter(Boolean).join(" ");
}

/** `Running: replica-1 and replica-2. Starting: replica-3 and the balancer.` */
function progress(state) {
  const parts = replicasInOrder(state).map((replica) => [replica.name, replica.phase]);
  if (state.balancer) parts.push([t("the balancer"), state.balancer.phase]);
  const of = (phase) => listed(parts.filter((part) => part[1] === phase).map(([name]) => name));
  const texts = [of("running") && t("Running: %(names)s.", { names: of("running") }), of("starting") && t("Starting: %(names)s.", { names: of("starting") })];
  return texts.filter(Boolean).join(" ") || t("Waiting for the engine.");
}

function failed(title, error) {
  if (!error) return verdict("refused", title, "");
  return verdict("refused", recorded(error.message), recorded(error.hint));
}

function called(hello) {
  const last = hello.calls?.last;
  return last ? t("The last call got %(status)s %(body)s in %(ms)s ms.", { status: last.status, body: JSON.stringify(last.body.trim()), ms: last.ms }) : t("Call it, from here or from your own terminal.");
}

function building(hello, steps) {
  return hello.build.total ? t("Building: step %(step)s of %(total)s", { step: steps.length, total: hello.build.total }) : t("Building");
}

const built = (state, size) => (state.engine?.name === "docker" ? t("Built: the image has %(size)s", { size }) : t("Built: the program has %(size)s", { size }));
const after = (waited) => (waited >= 2 ? `, ${Math.floor(waited)} s` : "");
const verdict = (tone, title, more) => ({ tone, title, more });
