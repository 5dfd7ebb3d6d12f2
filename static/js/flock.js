/** Which dots travel: one a request, and where a storm would drown the picture, one for many on the same way. Pure. */

/** So many dots travel singly; what comes while they do joins others. */
export const SINGLY = 150;
/** Milliseconds: requests to one place that begin within this join one dot. */
const TOGETHER = 150;
const KINDS = new Set(["connection.negotiated", "connection.routed", "connection.refused", "page.served", "request.failed"]);
const WRONG = new Set(["connection.refused", "request.failed"]);

/** The requests among these events that the balancer really saw. */
export const requestsOf = (events) => events.filter((event) => KINDS.has(event.kind));

/**
 * `dots` with a dot for each request, begun at `begin` (ms) and spread as their events were, by 300 ms at most.
 * A dot is {visitor, replica, wrong, at, many}: `replica` null ends at the balancer, `many` requests are in it.
 */
export function join(dots, requests, begin) {
  const first = Date.parse(requests[0]?.at);
  const joined = [...dots];
  const open = new Map();
  for (const event of requests) {
    const at = begin + Math.max(0, Math.min(300, Date.parse(event.at) - first));
    const dot = { visitor: event.data?.visitor, replica: placeOf(event), wrong: WRONG.has(event.kind), at, many: 1 };
    const way = `${dot.replica} ${dot.wrong}`;
    const other = open.get(way);
    if (joined.length >= SINGLY && other && at - other.at < TOGETHER) {
      other.many += 1;
      continue;
    }
    joined.push(dot);
    open.set(way, dot);
  }
  return joined;
}

/** As large as it has requests, by area, within bounds. */
export const sizeOf = ({ many }) => Math.min(15, 4.5 * Math.sqrt(many));

/** A request that the balancer could give to nobody ends there. */
function placeOf({ kind, data, source }) {
  if (kind === "request.failed") return data?.replica ?? null;
  return data?.replica ?? source;
}
