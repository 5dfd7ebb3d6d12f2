/** Break something: one target, and what can be done to it in the phase that it is in. */
import { ask, wish } from "./ask.js";
import { byId, icon, keyed, h, setText } from "./dom.js";
import { replicasInOrder } from "./store.js";
import { t } from "./text.js";

const BALANCER = "balancer";
/** What a button does now; a thing done is undone by the same button. */
const WORDS = { kill: [t("Kill"), "kill"], start: [t("Start"), "play"], freeze: [t("Freeze"), "freeze"], thaw: [t("Thaw"), "play"], drain: [t("Drain"), "drain"], restart: [t("Restart"), "restart"], stop: [t("Stop"), "stop"], drop: [t("Drop"), "drop"] };
const UNDONE = { kill: "start", freeze: "thaw" };
const SEEN = {
  running: t("Kill is a crash. Freeze keeps everything and answers nothing: only health checks notice. Drain takes nobody new and asks who is there to take the memory elsewhere; then it stops."),
  frozen: t("It stands still with all its memory. Health checks find out within seconds; live connections after half a minute."),
  stopped: t("Its memory is gone. Started again it is empty."),
  failed: t("It ended by itself. Started again it is empty."),
  balancer: t("Everybody loses the connection and comes back; replicas and affinity stay as they are."),
};

/** Which faults can be asked of a target in that phase. Pure. */
export function possible(target, phase, draining) {
  if (target === BALANCER) return phase === "running" ? ["restart"] : [];
  if (phase === "running") return ["kill", "freeze", "restart", "stop", "drop", ...(draining ? [] : ["drain"])];
  if (phase === "frozen") return ["kill", "thaw", "restart", "stop"];
  return phase === "stopped" || phase === "failed" ? ["start"] : [];
}

/** Listen to the panel. */
export function offerFaults(page) {
  byId("drop-all").addEventListener("click", () => ask(page, "drop", true, "drop-said", "POST", "/connections/drop", {}));
  byId("fault-target").addEventListener("change", () => page.refresh());
  byId("faults").addEventListener("click", ({ target }) => {
    const button = target.closest("[data-fault]");
    if (button) fault(page, byId("fault-target").value, button.dataset.act ?? button.dataset.fault);
  });
}

function fault(page, target, act) {
  const [path, body] = act === "drop" ? ["/connections/drop", { replica: target }] : [target === BALANCER ? "/balancer/restart" : `/replicas/${target}/${act}`, {}];
  ask(page, `${act} ${target}`, true, "drop-said", "POST", path, body);
}

/** Show what can be broken now. */
export function renderFaults(state, running) {
  byId("drop-all").disabled = !running;
  byId("drop-all").toggleAttribute("data-asked", wish("drop") !== undefined);
  const replicas = replicasInOrder(state ?? {});
  const targets = [...replicas.map((replica) => replica.name), ...(replicas.length > 0 ? [BALANCER] : [])];
  const select = byId("fault-target");
  keyed(select, targets, (name) => name, (name) => h("option", { value: name }, name === BALANCER ? t("on the balancer") : t("on %(replica)s", { replica: name })), () => {});
  select.disabled = !running || targets.length === 0;
  const target = select.value;
  const replica = replicas.find((each) => each.name === target);
  const phase = target === BALANCER ? state?.balancer?.phase : replica?.phase;
  const can = running ? possible(target, phase, replica?.draining) : [];
  for (const button of byId("faults").querySelectorAll("[data-fault]")) renderButton(button, target, can);
  setText(byId("fault-note"), running ? (SEEN[target === BALANCER ? BALANCER : phase] ?? "") : "");
}

function renderButton(button, target, can) {
  const { fault: own } = button.dataset;
  const act = !can.includes(own) && can.includes(UNDONE[own]) ? UNDONE[own] : own;
  if (button.dataset.act !== act) {
    button.dataset.act = act;
    button.replaceChildren(icon(WORDS[act][1]), h("span", {}, WORDS[act][0]));
  }
  const asked = wish(`${act} ${target}`) !== undefined;
  button.disabled = asked || !can.includes(act);
  button.toggleAttribute("data-asked", asked);
}
