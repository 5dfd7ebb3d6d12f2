/** Refusals counted per replica since the last thing that somebody changed. Pure. */

const BEGINS = new Set(["fault.drop_asked", "affinity.changed", "affinity_lab.starting", "crowd.changed", "workspace.reset"]);

/** `refused` by replica, their `total`, and `since`: the time of the first event that was counted over. */
export function createTally() {
  return { since: null, refused: {}, total: 0 };
}

/** Count on. */
export function count(tally, events) {
  for (const event of events) {
    if (tally.since === null || BEGINS.has(event.kind)) {
      tally.since = event.at;
      tally.refused = {};
      tally.total = 0;
    }
    if (event.kind !== "connection.refused") continue;
    const replica = event.data?.replica ?? event.source;
    tally.refused[replica] = (tally.refused[replica] ?? 0) + 1;
    tally.total += 1;
  }
}
