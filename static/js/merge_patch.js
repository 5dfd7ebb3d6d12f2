/** RFC 7396: a JSON merge patch. Pure. */

/**
 * The target with `patch` applied. Objects along the way are copied once per `made`, a set that the caller
 * keeps for a batch: so that a hundred patches copy a big map once, and an unchanged part keeps its identity.
 */
export function mergePatch(target, patch, made = new Set()) {
  if (!isObject(patch)) return patch;
  const result = made.has(target) ? target : isObject(target) ? { ...target } : {};
  made.add(result);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else define(result, key, mergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value, made));
  }
  return result;
}

/** A key named `__proto__` is data like any other. */
function define(object, key, value) {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
