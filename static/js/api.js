/** Calls to the dashboard's API. Every answer is JSON; every failure is {kind, message, hint}. */
import { t } from "./text.js";

const listeners = new Set();
let workspace = "demo";

/** Which workspace the calls are about. */
export function useWorkspace(name) {
  workspace = name;
}

/** Be told of every call that changes something: `{method, path, body, status, ms}`. */
export function onCall(listener) {
  listeners.add(listener);
}

/** Ask the workspace's API, or with `/api/…` another part of it; resolves with the answer's JSON, rejects with {kind, message, hint}. */
export async function call(method, path, body) {
  const url = path.startsWith("/api/") ? path : `/api/workspaces/${encodeURIComponent(workspace)}${path}`;
  const begun = performance.now();
  const response = await send(method, url, body);
  const answer = await response.json().catch(() => ({}));
  if (method !== "GET") {
    const ms = performance.now() - begun;
    for (const listener of listeners) listener({ method, path: url, body, status: response.status, ms });
  }
  if (!response.ok) throw problem(answer.error, response.status);
  return answer;
}

/** The same call as a command line; the token stays out of it. */
export function asCurl({ method, path, body }) {
  const json = body === undefined ? "" : ` -H "Content-Type: application/json" -d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`;
  return `curl -X ${method} -H "Authorization: Bearer $LAB_TOKEN"${json} ${location.origin}${path}`;
}

async function send(method, url, body) {
  const options = { method, credentials: "same-origin", headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  try {
    return await fetch(url, options);
  } catch {
    throw problem({ kind: "away", message: t("The dashboard did not answer."), hint: t("It may be restarting. Try again in a moment.") });
  }
}

function problem(error, status) {
  return {
    kind: error?.kind ?? "unexpected",
    message: error?.message ?? t("The dashboard answered %(status)s.", { status }),
    hint: error?.hint ?? t("Try again; the dashboard's own output says more."),
    status,
  };
}
