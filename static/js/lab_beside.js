/** The lab beside an exercise: its verdict, and the affinity lab's live picture where it belongs. */
import { rehearsalVerdict } from "./agent_script_words.js";
import { byId, mark, setText } from "./dom.js";
import { createFlights, fly, land } from "./flights.js";
import { waited } from "./live.js";
import { createPicture, renderPicture } from "./picture.js";
import { count, createTally } from "./tally.js";
import { t } from "./text.js";
import { affinityVerdict, helloVerdict } from "./verdict.js";

const SHAPES = { busy: "spin", info: "info", ok: "ok", warn: "warn", refused: "refused" };
const NOT_REHEARSED = { tone: "info", title: t("Nothing is rehearsed"), more: "" };
const CONNECTING = { tone: "busy", title: t("Connecting to the lab"), more: "" };

/** `tall` draws for a narrow column, whatever the window's width; null follows the window. */
export function createBeside(tall = null) {
  const picture = createPicture(byId("picture"));
  if (tall !== null) picture.tall = { matches: tall };
  return { picture, flights: createFlights(byId("picture"), () => picture.geometry), tally: createTally(), drawn: null };
}

/** Hear events: refusals are counted, requests travel. */
export function hearBeside(beside, events, live) {
  count(beside.tally, events);
  if (live && !byId("picture").hidden) fly(beside.flights, events);
}

/** What the page's lab says of itself: `{tone, title, more}`. */
export function labVerdict(page, lab) {
  const state = page.store?.state;
  if (!state) return CONNECTING;
  if (lab === "/affinity") return affinityVerdict(state, waited(page, "affinity_lab"));
  if (lab === "/hello-go") return helloVerdict(state, waited(page, "hello_go"));
  return { more: "", ...(rehearsalVerdict(state.agent_script) ?? NOT_REHEARSED) };
}

/** The small headline beside an exercise. */
export function renderLabVerdict({ tone, title, more }) {
  const element = byId("lab-verdict");
  if (element.dataset.tone !== tone || element.lastChild?.textContent !== title) {
    element.dataset.tone = tone;
    element.replaceChildren(mark(SHAPES[tone] ?? "info"), title);
  }
  setText(byId("lab-more"), more ?? "");
}

/** The picture, drawn again only when what it shows has changed. */
export function renderBeside(beside, page, shown, title) {
  const frame = byId("picture");
  frame.hidden = !shown;
  if (!shown) return;
  const { state } = page.store ?? {};
  const live = page.status.state === "websocket" || page.status.state === "polling";
  if (!live) land(beside.flights);
  const { tally, picture } = beside;
  const key = [state?.people, state?.circuits, state?.replicas, state?.balancer, tally.total, picture.tall.matches, title];
  if (beside.drawn && key.every((part, i) => part === beside.drawn[i])) return;
  beside.drawn = key;
  renderPicture(picture, state, { title, refused: tally.refused, steps: [] });
}
