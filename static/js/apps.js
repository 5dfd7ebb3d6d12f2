/** Which app the replicas run, and the switches that only Blazor has: each is a call of the API. */
import { ask, wish } from "./ask.js";
import { byId, choose, setText } from "./dom.js";
import { recorded, t } from "./text.js";

const NOTES = {
  circuit: t("The lab's own stateful app. It speaks as Blazor does, and tells more of itself."),
  blazor: t("The real Blazor Server of .NET 10. Its page, its script and its memory are Microsoft's."),
};
const SWITCHES = { "app-skip": "skip_negotiation", "app-prerender": "prerender", "app-store": "shared_store" };
const SELECTS = { "app-transports": "transports", "app-retention": "retention_seconds" };

/** What the next launch takes; null until somebody chose. */
let chosen = null;

/** What a click on Launch asks for. Pure but for the choice. */
export function appToLaunch(state) {
  const wanted = chosen ?? state?.app ?? "circuit";
  return (state?.apps ?? []).some((app) => app.name === wanted && app.available) ? wanted : "circuit";
}

/** Listen to the choice and the switches. */
export function offerApps(page) {
  byId("app").addEventListener("change", ({ target }) => {
    chosen = target.value;
    page.refresh();
  });
  for (const [id, name] of Object.entries(SWITCHES)) byId(id).addEventListener("change", ({ target }) => set(page, id, name, target.checked));
  for (const [id, name] of Object.entries(SELECTS)) {
    byId(id).addEventListener("change", ({ target }) => set(page, id, name, name === "retention_seconds" ? Number(target.value) : target.value));
  }
}

function set(page, id, name, value) {
  return ask(page, id, value, "app-said", "PUT", "/app-settings", { [name]: value });
}

/** Show what runs, what could run, and how Blazor is set. */
export function renderApps(state, live) {
  const phase = state?.affinity_lab?.phase;
  const free = live && (phase === "stopped" || phase === "failed");
  if (!free) chosen = null;
  const shown = free ? appToLaunch(state) : (state?.app ?? "circuit");
  choose("app", shown);
  byId("app").disabled = !free;
  for (const radio of document.querySelectorAll("input[name=app]")) {
    radio.disabled = (state?.apps ?? []).some((app) => app.name === radio.value && !app.available);
  }
  setText(byId("app-note"), note(state, shown, free));
  byId("blazor").hidden = shown !== "blazor";
  if (shown === "blazor") renderSwitches(state, live && phase !== "starting" && phase !== "stopping");
}

/** The reason of an app that cannot be had comes first: it says the next move. Pure. */
export function note(state, shown, free) {
  const missing = (state?.apps ?? []).filter((app) => !app.available).map((app) => t("%(app)s cannot run here: %(reason)s", { app: titled(app.name), reason: recorded(app.reason) }));
  const other = free || missing.length > 0 || !state ? "" : ` ${t("To run the other one, stop the lab.")}`;
  return [`${NOTES[shown] ?? ""}${other}`, ...missing].join(" ");
}

const titled = (name) => name[0].toUpperCase() + name.slice(1);

function renderSwitches(state, can) {
  const settings = state?.app_settings ?? {};
  for (const [id, name] of Object.entries({ ...SWITCHES, ...SELECTS })) {
    const element = byId(id);
    const asked = wish(id, settings[name]);
    const value = asked ?? settings[name];
    if (element.type === "checkbox") element.checked = value === true;
    else if (document.activeElement !== element || asked === undefined) element.value = String(value ?? "");
    element.disabled = !can || (id === "app-store" && Boolean(settings.store_reason) && value !== true);
    element.toggleAttribute("data-asked", asked !== undefined);
  }
  const restarting = Object.values(state?.jobs ?? {}).some((job) => job.name === "affinity_lab.app_settings");
  const said = restarting ? t("The replicas restart one after the other to take it.") : "";
  setText(byId("app-restarting"), said);
  setText(byId("app-store-note"), settings.store_reason ? t("No shared store here: %(reason)s", { reason: recorded(settings.store_reason) }) : "");
}
