/** What every page has: one store, one socket, one frame loop, the bar. */
import { useWorkspace } from "./api.js";
import { renderBar } from "./bar.js";
import { offerCopies } from "./copy.js";
import "./theme.js";
import { watch } from "./socket.js";

/**
 * Begin. `render(page)` runs at most once a frame, after events, after the connection changed and once a
 * second while something is under way; `hear(events, live)` gets every new event at once.
 */
export function begin({ render, hear = () => {} }) {
  const workspace = document.body.dataset.workspace;
  const page = { workspace, store: null, status: { state: "connecting" }, since: {}, skew: 0, refresh, now: () => Date.now() - page.skew };
  let asked = false;

  function refresh() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      renderBar(page);
      render(page);
    });
  }

  useWorkspace(workspace);
  page.store = watch(workspace, {
    onEvents(events, live) {
      if (live && events.length > 0) page.skew = Date.now() - Date.parse(events.at(-1).at);
      notePhases(page.since, events);
      hear(events, live);
      refresh();
    },
    onStatus(status) {
      const same = page.status.state === status.state;
      page.status = { ...status, since: same ? page.status.since : Date.now() };
      refresh();
    },
  });
  setInterval(refresh, 1000);
  offerCopies();
  refresh();
  globalThis.labdeck = page; // for the console: labdeck.store.state, labdeck.store.events
  return page;
}

/** Seconds since the part of the state entered its phase, as far as the events tell. */
export function waited(page, part) {
  const since = page.since[part];
  return since ? Math.max(0, (page.now() - since) / 1000) : 0;
}

/** When a part of the state last changed its phase, from the events' own times. */
function notePhases(since, events) {
  for (const { patch, at } of events) {
    if (!patch) continue;
    if (patch.affinity_lab?.phase) since.affinity_lab = Date.parse(at);
    if (patch.agent_script?.phase) since.agent_script = Date.parse(at);
    if (patch.hello_go?.phase || patch.hello_go?.build?.phase) since.hello_go = Date.parse(at);
    for (const [name, replica] of Object.entries(patch.replicas ?? {})) {
      if (replica?.phase) since[name] = Date.parse(at);
    }
  }
}
