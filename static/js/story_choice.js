/** Choosing a visitor without a mouse, or when there are too many to click one: refused ones first. */
import { byId, h } from "./dom.js";
import { numberOf } from "./store.js";
import { t } from "./text.js";
import { isConnected, isRefused } from "./verdict.js";

const GROUPS = [
  [t("could not connect"), (person) => isRefused(person)],
  [t("came back without memory"), (person) => isConnected(person) && person.memory === "lost"],
  [t("on the way"), (person) => !isConnected(person) && !isRefused(person)],
  [t("connected"), (person) => isConnected(person) && person.memory !== "lost"],
];

/** Fill the list when somebody is about to use it; it stands still while it is open. */
export function offerWhose(page, chosen) {
  const select = byId("whose");
  const refill = () => fill(select, page.store?.state?.people ?? {});
  for (const when of ["focus", "pointerdown"]) select.addEventListener(when, refill);
  select.addEventListener("change", () => chosen(select.value));
}

/** The visitor whose story is shown; also one that has left, for the log still knows it. */
export function showWhose(visitor) {
  const select = byId("whose");
  const name = visitor ?? "";
  if (![...select.options].some((option) => option.value === name)) select.append(h("option", { value: name }, name));
  select.value = name;
}

function fill(select, people) {
  const chosen = select.value;
  const names = Object.entries(people);
  const groups = GROUPS.map(([label, belongs]) => [label, names.filter(([, person]) => belongs(person)).map(([name]) => name)]).filter(([, found]) => found.length > 0);
  const options = groups.map(([label, found]) => h("optgroup", { label: `${label}: ${found.length}` }, ...found.sort(byNumber).map((name) => h("option", { value: name }, name))));
  select.replaceChildren(h("option", { value: "" }, t("choose a visitor")), ...options);
  showWhose(chosen || null);
}

const byNumber = (a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1);
