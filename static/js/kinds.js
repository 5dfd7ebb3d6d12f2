/** Which shape a line of the log has: circle, diamond, triangle, page or dash. Pure. */

const OK = new Set([
  "connection.negotiated", "connection.routed", "circuit.started", "circuit.resumed", "visitor.connected",
  "circuit.moved", "circuit.restored",
  "hello_go.built", "hello_go.started", "hello_go.called", "affinity_lab.launched", "replica.started",
  "balancer.started", "visitors.started", "engine.recovered",
]);
const REFUSED = new Set(["connection.refused", "request.failed", "visitor.failed"]);

/** ok, refused, warn, elsewhere (a page that another replica signed) or info. */
export function shapeOf({ kind, level }) {
  if (kind === "page.rejected") return "elsewhere";
  if (level === "error" || REFUSED.has(kind)) return "refused";
  if (level === "warning") return "warn";
  return OK.has(kind) ? "ok" : "info";
}
