/** How clients behave beside transport and protocol: automatic reconnect, and the key that signs their pages. */
import { ask, wish } from "./ask.js";
import { byId, setText } from "./dom.js";
import { t } from "./text.js";

/** Listen to both switches. */
export function offerClients(page) {
  byId("reconnect").addEventListener("change", ({ target }) => ask(page, "reconnect", target.checked, "settings-said", "PUT", "/visitors", { reconnect: target.checked }));
  byId("page-keys").addEventListener("change", ({ target }) => ask(page, "page-keys", target.checked, "settings-said", "PUT", "/page-keys", { shared: target.checked }));
}

/** Show what is set, and over it what was asked for. */
export function renderClients(state, running) {
  const shared = state?.page_keys?.shared ?? false;
  const values = { reconnect: state?.visitors?.reconnect ?? true, "page-keys": shared };
  for (const [id, actual] of Object.entries(values)) {
    const asked = wish(id, actual);
    byId(id).checked = asked ?? actual;
    byId(id).disabled = !running;
    byId(id).toggleAttribute("data-asked", asked !== undefined);
  }
  const restarting = Object.values(state?.jobs ?? {}).some((job) => job.name === "affinity_lab.page_keys");
  setText(byId("page-keys-note"), restarting ? t("The replicas restart one after the other to take the new key.") : "");
}
