/**
 * What the page says, in its reader's language. The sentences in the code are English and need no catalogue; those
 * of another language are here before the first module that imports this one runs.
 */

const root = globalThis.document?.documentElement;

/** The page's language, such as `de`. */
export const LANGUAGE = root?.lang || "en";

const loaded = root?.dataset.words ? await load(root.dataset.words) : {};
const catalogue = new Map(Object.entries(loaded.messages ?? {}));
const forms = new Intl.PluralRules(LANGUAGE);
const numbers = new Intl.NumberFormat(LANGUAGE === "en" ? "en-US" : LANGUAGE);

/** The sentence, with its named places `%(name)s` filled in. */
export function t(message, values = null) {
  return filled(found(message) ?? message, values);
}

/** One form for a single thing, another for several; `%(n)s` is the number unless `values` has it. */
export function tn(one, many, n, values = {}) {
  const known = catalogue.get(one);
  const forOne = (Array.isArray(known) ? forms.select(n) : n === 1 ? "one" : "other") === "one";
  const [single, several] = Array.isArray(known) ? [known[0], known.at(-1)] : [one, many];
  return filled(forOne ? single : several, { n: number(n), ...values });
}

/** `1,000` in English, `1.000` in German; `digits` after the point. */
export function number(value, digits = null) {
  if (digits === null) return numbers.format(Number(value));
  if (LANGUAGE === "en") return value.toFixed(digits);
  return new Intl.NumberFormat(numbers.resolvedOptions().locale, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false }).format(value);
}

/**
 * A sentence that the server recorded in English, in the reader's language where the catalogue has it, also with its
 * places filled in. What the catalogue does not know stays as it was recorded.
 */
export function recorded(text) {
  if (!text || catalogue.size === 0) return text ?? "";
  return whole(text) ?? text.split(/(?<=\.) /).map((sentence) => whole(sentence) ?? sentence).join(" ");
}

function whole(text) {
  const same = found(text);
  if (same !== undefined) return same;
  patterns ??= patternsOf((loaded.recorded ?? []).map((id) => [id, catalogue.get(id)]));
  for (const [pattern, names, message] of patterns) {
    const values = pattern.exec(text)?.slice(1);
    if (values) return filled(message, Object.fromEntries(names.map((name, i) => [name, found(values[i]) ?? values[i]])));
  }
  return undefined;
}

let patterns = null;
const PLACE = /%\((\w+)\)s/g;
/** Fewer letters of its own, and a pattern would fit what is not meant. */
const OWN_LETTERS = 9;
/** What stands in a place is no more than a part of a sentence. */
const ANYTHING = "((?:(?!\\. ).)+?)";

/** Pure: `[pattern, names, message]` of each message that has places, those with most letters of their own first. */
export function patternsOf(messages) {
  const found = [...messages].filter(([id]) => id.includes("%(")).map(([id, message]) => [id.split(PLACE), Array.isArray(message) ? message[0] : message]);
  const own = (parts) => parts.filter((_, i) => i % 2 === 0).join("").length;
  return found.filter(([parts]) => own(parts) >= OWN_LETTERS).sort(([a], [b]) => own(b) - own(a)).map(([parts, message]) => {
    const source = parts.map((part, i) => (i % 2 === 0 ? part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&") : ANYTHING)).join("");
    return [new RegExp(`^${source}$`), parts.filter((_, i) => i % 2 === 1), message];
  });
}

function found(message) {
  const known = catalogue.get(message);
  return Array.isArray(known) ? known[0] : known;
}

const filled = (text, values) => (values ? text.replace(PLACE, (place, name) => values[name] ?? place) : text);

/** A page whose catalogue cannot be had is English rather than dead. */
async function load(address) {
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    return answer.ok ? await answer.json() : {};
  } catch {
    return {};
  }
}
