/** The log's filters: chips for what happened and where, a list of kinds, words. Built from what came. */
import { byId, h, keyed, mark, replicaClass, setText, swatch } from "./dom.js";
import { inOrder, lookFor } from "./log_filter.js";
import { t } from "./text.js";
import { grouped } from "./units.js";

const SHAPES = [["refused", t("refused or failed")], ["elsewhere", t("pages from elsewhere")], ["warn", t("warnings")], ["ok", t("went well")], ["info", t("plain facts")]];

/** A whole word costs one search. */
const TYPED = 200;

/** Listen to the filters; `changed` is called after each change. */
export function offerFilters(log, changed) {
  let typing = null;
  byId("filter-level").addEventListener("click", (event) => toggle(event, log.filter.shapes, changed));
  byId("filter-source").addEventListener("click", (event) => toggle(event, log.filter.sources, changed));
  byId("filter-kind").addEventListener("change", (event) => {
    log.filter.kind = event.target.value;
    changed();
  });
  byId("find").addEventListener("input", (event) => {
    lookFor(log.filter, event.target.value);
    clearTimeout(typing);
    typing = setTimeout(changed, TYPED);
  });
  byId("filter-visitor").addEventListener("click", () => {
    log.filter.visitor = log.filter.visitor ? "" : (log.selected ?? "");
    changed();
  });
}

/** Nothing is held back any more, and the fields say so. */
export function clearFilters({ filter }) {
  filter.shapes.clear();
  filter.sources.clear();
  Object.assign(filter, { kind: "", visitor: "" });
  lookFor(filter, "");
  byId("filter-kind").value = "";
  byId("find").value = "";
}

/** Show what there is to choose from, with how often it came. */
export function renderFilters({ filter, choices, selected }) {
  const shapes = SHAPES.filter(([shape]) => choices.shapes.has(shape) || filter.shapes.has(shape));
  keyed(byId("filter-level"), shapes, ([shape]) => shape, ([shape, title]) => chip(shape, title, mark(shape)), (element, [shape, title]) => {
    const count = choices.shapes.get(shape) ?? 0;
    element.setAttribute("aria-label", `${title}: ${grouped(count)}`);
    show(element, filter.shapes.has(shape), grouped(count));
  });
  const sources = inOrder(new Set([...choices.sources.keys(), ...filter.sources]));
  keyed(byId("filter-source"), sources, (name) => name, (name) => chip(name, name, replicaClass(name) ? swatch(name) : null), (element, name) => {
    element.setAttribute("aria-label", name);
    show(element, filter.sources.has(name), name.replace(/^replica-/, ""));
  });
  renderKinds(byId("filter-kind"), choices.kinds);
  const visitor = filter.visitor || selected;
  byId("filter-visitor").hidden = !visitor;
  setText(byId("filter-visitor"), t("only %(visitor)s", { visitor }));
  byId("filter-visitor").setAttribute("aria-pressed", String(filter.visitor !== ""));
}

function renderKinds(select, kinds) {
  if (select.options.length === kinds.size + 1 || document.activeElement === select) return;
  const chosen = select.value;
  const options = [...kinds.keys()].sort().map((kind) => h("option", { value: kind }, kind));
  select.replaceChildren(h("option", { value: "" }, t("every kind")), ...options);
  select.value = chosen;
}

function chip(value, title, sign) {
  return h("button", { class: "chip", type: "button", "data-value": value, title }, sign, h("span", {}, ""));
}

function show(element, pressed, text) {
  element.setAttribute("aria-pressed", String(pressed));
  setText(element.lastElementChild, text);
}

function toggle(event, set, changed) {
  const value = event.target.closest("[data-value]")?.dataset.value;
  if (value === undefined) return;
  if (!set.delete(value)) set.add(value);
  changed();
}
