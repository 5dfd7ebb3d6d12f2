/** Making elements. Texts only ever become text nodes; nothing here reads markup. */

const SVG = "http://www.w3.org/2000/svg";

/** The element with that id. */
export const byId = (id) => document.getElementById(id);

/** An HTML element: `h("p", {class: "lede"}, "text", child)`. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element, the same way. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** The shape of a verdict: ok, refused, warn, info, or spin while work is under way. */
export function mark(shape) {
  const tone = shape === "info" ? "quiet" : shape;
  return s("svg", { class: `mark ${tone}`, "aria-hidden": "true" }, s("use", { href: `#m-${shape}` }));
}

export function icon(name) {
  return s("svg", { class: "icon", "aria-hidden": "true" }, s("use", { href: `#i-${name}` }));
}

/** The square in a replica's colour. */
export function swatch(name) {
  return h("span", { class: `swatch ${replicaClass(name)}` });
}

/** r1 … r8; the ninth and tenth repeat, marked `again`. Empty for what is no replica. */
export function replicaClass(name) {
  const number = Number(/^replica-(\d+)$/.exec(name ?? "")?.[1] ?? 0);
  if (number === 0) return "";
  return `r${((number - 1) % 8) + 1}${number > 8 ? " again" : ""}`;
}

/** A text whose `quoted` parts are code, as children for `h`. */
export function inline(text) {
  return text.split("`").map((part, place) => (place % 2 === 1 ? h("code", {}, part) : part));
}

/** Set a text only when it changed, so that selections and screen readers are left alone. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set attributes only where they changed; null takes one away. */
export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

/**
 * Make `parent`'s children match `items`, keeping the element of each key. `create(item)` makes one,
 * `update(element, item)` brings it up to date.
 */
export function keyed(parent, items, keyOf, create, update) {
  const known = (parent.known ??= new Map());
  const wanted = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    wanted.add(key);
    let element = known.get(key);
    if (!element) {
      element = create(item);
      known.set(key, element);
    }
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const [key, element] of known) {
    if (wanted.has(key)) continue;
    element.remove();
    known.delete(key);
  }
}

function fill(element, attributes, children) {
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Check the one of the radio buttons of that name that has the value. */
export function choose(name, value) {
  for (const radio of document.querySelectorAll(`input[name=${name}]`)) radio.checked = radio.value === value;
}

/** Buttons that are pressed or not, as `[name, label, pressed, disabled]`. */
export function chips(element, items) {
  keyed(element, items, ([name]) => name, ([name, label]) => h("button", { class: "chip", type: "button", "data-name": name }, label), (chip, [, , pressed, disabled]) => {
    chip.setAttribute("aria-pressed", String(pressed));
    chip.disabled = disabled;
  });
}
