/** Traps: settings with which affinity is on and yet does not help. Each switch is a call of the API. */
import { ask, wish } from "./ask.js";
import { byId, setText } from "./dom.js";
import { t } from "./text.js";

const HOUR = 3600;
/**
 * `on(state)` says whether the trap is set, `off` and `on` what is asked for. The cookie's traps turn cookies
 * on and let the crowd begin anew: who has an older cookie would not feel them.
 */
export const TRAPS = {
  "trap-expires": { isOn: (s) => cookie(s)?.ttl_seconds === 30, set: (on) => [affinity({ ttl_seconds: on ? 30 : HOUR }), ANEW] },
  "trap-path": { isOn: (s) => (cookie(s)?.path ?? "/") !== "/", set: (on) => [affinity({ path: on ? "/_blazor/negotiate" : "/" }), ANEW] },
  "trap-jar": { isOn: (s) => s.visitors?.cookies === false, set: (on, s) => [...turnOn(on, s, "cookie"), ["/visitors", { cookies: !on }]] },
  "trap-address": { isOn: (s) => s.visitors?.one_address === true, set: (on, s) => [...turnOn(on, s, "source_ip"), ["/visitors", { one_address: on }]] },
  "trap-strict": { isOn: (s) => cookie(s)?.strict === true, set: (on) => [affinity({ strict: on })] },
};
const ANEW = ["/visitors", { anew: true }];
const cookie = (state) => state.balancer?.affinity?.cookie;
const affinity = (change) => ["/affinity", { mode: "cookie", cookie: change }];
/** A trap shows only under its own mode; to take it away leaves the mode alone. */
const turnOn = (on, state, mode) => (on && state.balancer?.affinity?.mode !== mode ? [["/affinity", { mode }]] : []);

let shown = null;

/** Listen to the switches. */
export function offerTraps(page) {
  for (const id of Object.keys(TRAPS)) byId(id).addEventListener("change", ({ target }) => throwTrap(page, id, target.checked));
  byId("trap-scale-in").addEventListener("click", () => scaleIn(page));
}

async function throwTrap(page, id, on) {
  for (const [path, body] of TRAPS[id].set(on, shown ?? {})) {
    const answer = await ask(page, id, on, "traps-said", "PUT", path, body);
    if (answer === undefined) return;
  }
}

/** The newest replica goes while cookies still name it. */
async function scaleIn(page) {
  const count = Object.keys(shown?.replicas ?? {}).length - 1;
  if (shown?.balancer?.affinity?.mode !== "cookie") return void setText(byId("traps-note"), t("First turn the cookie on and let visitors connect."));
  await ask(page, "replicas", count, "traps-said", "PUT", "/replicas", { count });
}

/** Show which traps are set; what this engine cannot do is said. */
export function renderTraps(state, running) {
  shown = state;
  const fixed = state?.visitors?.own_addresses === false;
  for (const [id, { isOn }] of Object.entries(TRAPS)) {
    const input = byId(id);
    const actual = Boolean(state && isOn(state));
    const asked = wish(id, actual);
    input.checked = asked ?? actual;
    input.disabled = !running || (id === "trap-address" && fixed);
    input.toggleAttribute("data-asked", asked !== undefined);
  }
  byId("trap-scale-in").disabled = !running || Object.keys(state?.replicas ?? {}).length < 2;
  const note = fixed ? t("Always on here: in a container all virtual visitors have one address, that of their container. The local engine can give each its own.") : "";
  setText(byId("traps-note"), note);
}
