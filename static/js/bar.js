/** The bar's facts: which engine and why, and how live this page is. */
import { byId, h, mark, setText } from "./dom.js";
import { recorded, t } from "./text.js";

const SHAPES = { websocket: "ok", polling: "ok", reconnecting: "warn", connecting: "spin", "signed-out": "refused", refused: "refused" };

/** `page` is what `live.js` keeps: the store and the connection's status. */
export function renderBar(page) {
  const engine = page.store?.state?.engine;
  if (engine) renderEngine(byId("engine"), engine);
  renderLive(byId("live"), page.status);
}

function renderEngine(element, engine) {
  element.hidden = false;
  element.title = recorded(engine.reason);
  setText(element.querySelector("span"), `${engine.name} ${engine.version ?? ""}`.trim());
}

function renderLive(element, status) {
  const [shape, text, how] = [SHAPES[status.state] ?? "info", words(status), transport(status)];
  if (element.dataset.state !== status.state) {
    element.dataset.state = status.state;
    const label = status.state === "signed-out" ? h("a", { href: "/signed-out" }) : h("span");
    element.replaceChildren(mark(shape), label, h("b", { class: "wide" }));
  }
  element.title = recorded(status.reason);
  setText(element.children[1], text);
  setText(element.children[2], how);
}

function words(status) {
  if (status.state === "connecting") return t("Connecting");
  if (status.state === "signed-out") return t("Signed out");
  if (status.state === "refused") return t("Not watching");
  if (status.state === "reconnecting") return t("Reconnecting, %(seconds)s s", { seconds: Math.floor((Date.now() - status.since) / 1000) });
  return t("Live");
}

const transport = ({ state }) => (state === "websocket" || state === "polling" ? state : "");
