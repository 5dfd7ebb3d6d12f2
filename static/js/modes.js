/** How the balancer keeps visitors (mode) and who gets the others (algorithm): two choices of the rail. */
import { ask, wish } from "./ask.js";
import { byId, choose, setText } from "./dom.js";
import { t } from "./text.js";
import { milliseconds } from "./units.js";

const NOTES = {
  none: t("Any replica may answer any request. Nothing keeps a visitor where its memory is."),
  cookie: t("The first answer sets a cookie. With it, every request of a visitor goes to the same replica."),
  source_ip: t("The visitor's address chooses the replica. Who shares an address shares the replica."),
};

let obeyed = null;

/** Listen to both choices. */
export function offerModes(page) {
  byId("affinity").addEventListener("change", ({ target }) => set(page, "mode", target.value));
  byId("algorithm").addEventListener("change", ({ target }) => set(page, "algorithm", target.value));
}

/** Show what is set, and over it what was asked for. */
export function renderModes(state, running) {
  const actual = state?.balancer?.affinity ?? {};
  const asked = { mode: wish("mode", actual.mode), algorithm: wish("algorithm", actual.algorithm) };
  byId("affinity").disabled = Boolean(state) && !running;
  byId("algorithm").disabled = !running || actual.mode === "source_ip";
  for (const name of ["mode", "algorithm"]) choose(name, asked[name] ?? actual[name]);
  byId("affinity").toggleAttribute("data-asked", asked.mode !== undefined);
  byId("algorithm").toggleAttribute("data-asked", asked.algorithm !== undefined);
  const since = obeyed && actual[obeyed.name] === obeyed.value ? ` ${t("The balancer obeyed after %(time)s.", { time: milliseconds(obeyed.ms) })}` : "";
  setText(byId("affinity-note"), asked.mode ? t("Asked; the balancer is being told.") : `${NOTES[actual.mode] ?? ""}${since}`);
}

/** The answer comes when the balancer obeys, and says how long that took. */
async function set(page, name, value) {
  obeyed = null;
  const said = name === "mode" ? "affinity-said" : "settings-said";
  const answer = await ask(page, name, value, said, "PUT", "/affinity", { [name]: value });
  if (answer) obeyed = { name, value, ms: answer.ms };
}
