/** The picture's left side as a table, for who cannot see it: each visitor, or where there are many, groups of them. */
import { h, keyed, setText } from "./dom.js";
import { groupsOf, makeScene } from "./scene.js";
import { plural } from "./units.js";

/** In words, what a visitor looks like. */
export const LOOKS = { kept: "connected", lost: "came back without its memory", refused: "could not connect", waiting: "on the way" };

/** `{caption, head, rows}`, each row a list of words that begins with its name; of many, one may be followed. Pure. */
export function factsOf(state, followed = null) {
  const scene = makeScene(state ?? {});
  const { mode = "not set", algorithm = "" } = scene.balancer.affinity ?? {};
  const how = `Affinity ${mode.replace("_", " ")}${algorithm ? `, ${algorithm.replace("_", " ")}` : ""}.`;
  const own = scene.many ? scene.visitors.find(({ name }) => name === followed) : undefined;
  const follows = own ? ` Followed: ${own.name}, ${LOOKS[own.look]}, memory in ${own.replica ?? "no replica"}.` : "";
  const caption = `${plural(scene.visitors.length, "visitor")}, the same facts as in the picture. ${how}${follows}`;
  if (!scene.many) {
    const rows = scene.visitors.map(({ name, look, replica }) => [name, LOOKS[look], replica ?? "nowhere"]);
    return { caption, head: ["visitor", "is", "memory in"], rows };
  }
  const rows = groupsOf(scene).map((group) => [group.name ?? "nowhere", group.kept, group.lost, group.waiting, group.refused].map(String));
  return { caption, head: ["memory in", LOOKS.kept, LOOKS.lost, LOOKS.waiting, LOOKS.refused], rows };
}

/** Bring the table up to date. */
export function renderPictureTable(table, state, followed) {
  const { caption, head, rows } = factsOf(state, followed);
  setText(table.caption, caption);
  keyed(table.tHead.rows[0], head, (word) => word, (word) => h("th", { scope: "col" }, word), () => {});
  keyed(table.tBodies[0], rows, ([name]) => `${head.length} ${name}`, (row) => h("tr", {}, h("th", { scope: "row" }, row[0]), ...row.slice(1).map(() => h("td"))), (element, row) => {
    row.slice(1).forEach((word, i) => setText(element.cells[i + 1], word));
  });
}
