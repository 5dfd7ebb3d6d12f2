/** The form that asks for a run: how many visitors, what happens to them, with which keys; or both tables. */
import { ask } from "./ask.js";
import { byId, chips, setText } from "./dom.js";
import { about, KEYS, roughly } from "./runs_words.js";
import { t } from "./text.js";

/** `measured()` says whether there are runs already. */
export function createRunAsk(page, measured) {
  const form = { page, offer: null, wanted: null, keys: null, measured };
  const pick = (id, act) =>
    byId(id).addEventListener("click", ({ target }) => {
      const name = target.closest("[data-name]")?.dataset.name;
      if (name) act(name);
      page.refresh();
    });
  pick("run-wanted", (name) => toggle(form.wanted, name));
  pick("run-keys", (name) => toggle((form.keys ??= new Set([keysNow(form, page.store.state)])), name));
  byId("run-n").addEventListener("input", page.refresh);
  byId("run-ask").addEventListener("submit", (event) => {
    event.preventDefault();
    measure(form, { situations: namesOf(form.offer.situations, form.wanted), ...(form.keys ? { keys: form.offer.keys.filter((name) => form.keys.has(name)) } : {}) });
  });
  byId("run-tables").addEventListener("click", () => {
    const { affinities, transports, keys, situations } = form.offer.tables;
    if (byId("run-n").reportValidity()) measure(form, { affinities, transports, keys, situations });
  });
  return form;
}

/** What can be asked of the lab as it is now; choices that it does not know are forgotten. */
export function offered(form, offer) {
  if (form.offer?.app !== offer.app) Object.assign(form, { keys: null, wanted: new Set(offer.situations.filter(({ first }) => first).map(({ name }) => name)) });
  else if (form.keys) form.keys = new Set([...form.keys].filter((name) => offer.keys.includes(name)));
  form.offer = offer;
}

/** Bring the form up to date. */
export function renderRunAsk(form, state, live) {
  const running = state?.affinity_lab?.phase === "running";
  const { offer, wanted } = form;
  byId("run-ask").hidden = Boolean(state?.run) && state.run.phase !== "idle";
  if (!offer) return;
  const keys = form.keys ?? new Set([keysNow(form, state)]);
  const n = Math.min(offer.most, Math.max(1, Number(byId("run-n").value) || offer.n));
  byId("run-n").max = Math.min(offer.most, state?.limits?.max_visitors ?? offer.most);
  chips(byId("run-wanted"), offer.situations.map(({ name, label }) => [name, label, wanted.has(name), false]));
  chips(byId("run-keys"), offer.keys.map((name) => [name, KEYS[name], keys.has(name), false]));
  const ready = live && running && state?.run?.phase === "idle";
  byId("run-measure").disabled = !ready || wanted.size === 0 || keys.size === 0;
  byId("run-tables").disabled = !ready;
  setText(byId("run-measure").querySelector("span"), form.measured() ? t("Measure again") : t("Measure"));
  setText(byId("run-rough"), running ? roughWords(offer, wanted, keys, n) : t("Launch the lab first."));
  setText(byId("run-tables-rough"), tablesWords(offer.tables, n));
}

function roughWords(offer, wanted, keys, n) {
  if (wanted.size === 0) return t("Choose at least one situation.");
  if (keys.size === 0) return t("Choose at least one kind of keys.");
  const cells = wanted.size * offer.transports.length * 3 * keys.size;
  const time = about(roughly(offer, wanted, n, keys.size));
  return t("%(cells)s cells, %(time)s. Meanwhile the lab is the run's alone; afterwards it is set as before, with fresh visitors.", { cells, time });
}

function tablesWords(tables, n) {
  const cells = ["affinities", "transports", "keys", "situations"].reduce((product, part) => product * tables[part].length, 1);
  return t("What affinity cures, what shared keys cure, what nothing cures: %(cells)s cells, %(time)s. The replicas restart for each kind of keys.", { cells, time: about(tables.seconds + tables.seconds_each * n) });
}

/** What the replicas are started with now. */
function keysNow({ offer }, state) {
  if (state?.app_settings?.shared_store && offer.keys.includes("store")) return "store";
  return state?.page_keys?.shared ? "shared" : "own";
}

const namesOf = (situations, wanted) => situations.map(({ name }) => name).filter((name) => wanted.has(name));

function toggle(set, name) {
  if (!set.delete(name)) set.add(name);
}

function measure(form, body) {
  ask(form.page, "run", true, "run-said", "POST", "/runs", { n: Number(byId("run-n").value), ...body });
}
