/** The live connection. The only module that knows Socket.IO. */
import { io } from "../vendor/socket.io-client-4.8.4.esm.min.js";
import { createStore, forget, mustBeginAnew, takeEvents, takeSnapshot } from "./store.js";

const ANSWER_WITHIN = 10_000;
const HELD_BACK = 5000;

/**
 * Watch a workspace for as long as the page lives: joins, catches up, follows, and does so again after
 * every loss. `onEvents(fresh, live)` gets what is new; `live` is false for what was caught up on.
 * `onStatus({state, since, reason})` gets websocket, polling, reconnecting or signed-out.
 */
export function watch(workspace, { onEvents, onStatus }) {
  const store = createStore();
  const socket = io({ transports: ["websocket", "polling"], tryAllTransports: true, reconnectionDelay: 250, reconnectionDelayMax: 2000 });
  let asking = false;
  let held = [];

  async function ask() {
    if (asking) return;
    asking = true;
    try {
      while (await askOnce());
    } catch {
      if (socket.connected) socket.disconnect().connect();
    } finally {
      asking = false;
    }
    const waiting = held;
    held = [];
    receive(waiting);
  }

  async function askOnce() {
    const after = store.last > 0 ? store.last : null;
    const reply = await socket.timeout(ANSWER_WITHIN).emitWithAck("watch", { workspace, after });
    if (reply.error) {
      onStatus({ state: "refused", reason: reply.error.message });
      return false;
    }
    if (mustBeginAnew(store, reply.state, reply.events)) {
      forget(store);
      return true;
    }
    onEvents(takeSnapshot(store, reply.state, reply.events), false);
    return reply.more;
  }

  function receive(events) {
    if (events.length === 0) return;
    if (asking) {
      held = held.concat(events).slice(-HELD_BACK);
      return;
    }
    const { fresh, gap } = takeEvents(store, events);
    if (fresh.length > 0) onEvents(fresh, true);
    if (gap || isReset(events)) ask();
  }

  /** After a reset the state is asked for whole, and numbers that began at 1 again are noticed. */
  function isReset(events) {
    return events.some((event) => event.kind === "workspace.reset");
  }

  socket.on("connect", () => {
    report();
    socket.io.engine.on("upgrade", report);
    ask();
  });
  socket.on("events", (batch) => batch.workspace === workspace && receive(batch.events));
  socket.on("disconnect", (reason) => {
    onStatus({ state: "reconnecting", reason });
    if (reason === "io server disconnect") socket.connect();
  });
  socket.on("connect_error", (error) => {
    if (socket.active) onStatus({ state: "reconnecting", reason: error.message });
    else onStatus({ state: "signed-out", reason: error.message });
  });
  addEventListener("pagehide", () => socket.connected && socket.emit("unwatch", { workspace }));
  addEventListener("pageshow", (event) => event.persisted && socket.connected && ask());

  function report() {
    onStatus({ state: socket.io.engine.transport.name });
  }

  return store;
}
