/** The picture's left side as a table, for who cannot see it: each visitor, or where there are many, groups of them. */
import { h, keyed, setText } from "./dom.js";
import { groupsOf, makeScene } from "./scene.js";
import { algorithmName, modeName } from "./names.js";
import { t, tn } from "./text.js";

/** In words, what a visitor looks like. */
export const LOOKS = { kept: t("connected"), lost: t("came back without its memory"), refused: t("could not connect"), waiting: t("on the way") };

/** `{caption, head, rows}`, each row a list of words that begins with its name; of many, one may be followed. Pure. */
export function factsOf(state, followed = null) {
  const scene = makeScene(state ?? {});
  const { mode, algorithm } = scene.balancer.affinity ?? {};
  const how = [mode ? modeName(mode) : t("not set"), algorithmName(algorithm)].filter(Boolean).join(", ");
  const same = tn("%(n)s visitor, the same facts as in the picture. Affinity %(how)s.", "%(n)s visitors, the same facts as in the picture. Affinity %(how)s.", scene.visitors.length, { how });
  const own = scene.many ? scene.visitors.find(({ name }) => name === followed) : undefined;
  const follows = own && t("Followed: %(name)s, %(look)s, memory in %(replica)s.", { name: own.name, look: LOOKS[own.look], replica: own.replica ?? t("no replica") });
  const caption = [same, follows].filter(Boolean).join(" ");
  if (!scene.many) {
    const rows = scene.visitors.map(({ name, look, replica }) => [name, LOOKS[look], replica ?? t("nowhere")]);
    return { caption, head: [t("visitor"), t("is"), t("memory in")], rows };
  }
  const rows = groupsOf(scene).map((group) => [group.name ?? t("nowhere"), group.kept, group.lost, group.waiting, group.refused].map(String));
  return { caption, head: [t("memory in"), LOOKS.kept, LOOKS.lost, LOOKS.waiting, LOOKS.refused], rows };
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
