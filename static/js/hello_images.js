/** Sizes layer by layer, and what is in each image that need not be there. */
import { byId, h, inline, mark, s } from "./dom.js";
import { number, t } from "./text.js";
import { grouped, megabytes } from "./units.js";

const WIDTH = 440;
const ARTICLE = { build: 300e6, runtime: 12e6 };
const ORDER = ["alpine", "debian-slim", "distroless", "scratch"];
/** Words that stand on a bar of that tone. */
const ON = { "l-base": "l-base-t", "l-tool": "l-tool-t", "l-work": "l-work-t", "l-app": "l-app-t" };
const OURS = /^(EXPOSE |WORKDIR \/build)/;

/** Draw what is known of the images; `images` is `state.hello_go.images`, `binary` what was compiled without Docker. */
export function renderImages(images, binary) {
  renderSurface(inOrder(images));
  const rows = rowsOf(images, binary);
  const key = JSON.stringify(rows);
  const body = byId("sizes");
  if (body.dataset.key === key) return;
  body.dataset.key = key;
  const scale = Math.max(ARTICLE.build, ...rows.map((row) => row.size)) / (WIDTH - 2);
  body.replaceChildren(...rows.map((row) => sizeRow(row, scale)));
  const standIns = rows.some((row) => row.standIn);
  byId("size-foot").textContent = standIns ? t("Stand-in: a base made on this machine because no registry answered. Its size is not the real one's.") : "";
}

/** Build stage, single stage, then each runtime: largest lesson first. */
function inOrder(images) {
  const all = Object.values(images ?? {});
  const rank = (one) => (one.role === "build" ? 0 : one.role === "single" ? 1 : 2 + ORDER.indexOf(one.base));
  return all.sort((a, b) => rank(a) - rank(b));
}

function rowsOf(images, binary) {
  const made = inOrder(images).map((one) => ({ ...titles(one), size: one.size, bytes: one.size, parts: partsOf(one), layers: one.layers, standIn: one.stand_in }));
  if (binary) made.push({ title: t("The binary"), more: t("what the final image would carry"), size: binary.size, bytes: binary.size, parts: [{ tone: "l-app", size: binary.size, text: `go build, ${megabytes(binary.size)}` }] });
  const cited = (title, more, size) => ({ title, more, size, cited: true, parts: [{ tone: "l-art", size, text: "" }] });
  const of = (role) => made.findIndex((row) => row.role === role);
  const after = of("build");
  made.splice(after + 1, 0, cited(t("Article"), t("build image, 2020"), ARTICLE.build));
  const runtime = made.findIndex((row) => row.role === "runtime");
  made.splice(runtime < 0 ? made.length : runtime + 1, 0, cited(t("Article"), t("final image, alpine"), ARTICLE.runtime));
  return made;
}

function titles({ role, base, stand_in: standIn }) {
  const mark = standIn ? `, ${t("stand-in")}` : "";
  if (role === "build") return { role, title: t("Build stage"), more: t("golang and all it brings") + mark };
  if (role === "single") return { role, title: t("Single stage"), more: t("built and run in one") + mark };
  return { role, title: t("Final image"), more: t("on %(name)s", { name: base }) + mark };
}

/** The base's layers together, then each of ours that has a size. */
function partsOf({ role, layers }) {
  const first = layers.findIndex((layer) => OURS.test(layer.made_by));
  const under = first < 0 ? layers : layers.slice(0, first);
  const base = under.reduce((sum, layer) => sum + layer.size, 0);
  const runtime = role === "runtime";
  const ours = (first < 0 ? [] : layers.slice(first)).filter((layer) => layer.size > 1e5);
  const parts = ours.map((layer) => ({ tone: runtime ? "l-app" : "l-work", size: layer.size, text: `${worded(layer.made_by)}, ${megabytes(layer.size)}` }));
  if (base > 0) parts.unshift({ tone: runtime ? "l-base" : "l-tool", size: base, text: runtime ? `${t("base")}, ${megabytes(base)}` : `${t("Go toolchain")}, ${megabytes(base)}` });
  return parts;
}

/** The builder notes a copied file by its checksum; the page names it as the Dockerfile does. */
function worded(instruction) {
  if (/^COPY .*\/app\/hello-go/.test(instruction)) return "COPY --from=build";
  if (/go build/.test(instruction)) return "go build";
  return instruction.split(" ").slice(0, 2).join(" ");
}

function sizeRow(row, scale) {
  const bar = s("svg", { viewBox: `0 0 ${WIDTH} 18`, role: "img", "aria-label": megabytes(row.size) }, ...segments(row, scale));
  const title = h("th", { scope: "row" }, row.title, h("small", {}, row.more));
  const figure = h("td", { class: "num", title: t("%(n)s bytes", { n: grouped(row.bytes ?? row.size) }) }, h("b", {}, number(row.size / 1e6, row.cited ? 0 : 1)), row.bytes ? h("small", {}, `${grouped(row.bytes)} B`) : "");
  return h("tr", { class: row.cited ? "cited" : null }, title, h("td", {}, bar, ...(row.layers?.length ? [layerList(row.layers)] : [])), figure);
}

function segments({ parts }, scale) {
  const drawn = [];
  let x = 0;
  const beside = [];
  for (const part of parts) {
    const width = Math.max(2.2, part.size / scale - 1.5);
    drawn.push(s("rect", { class: part.tone, x: x.toFixed(1), width: width.toFixed(1), height: 18, rx: 2 }));
    if (part.text && width > part.text.length * 7) drawn.push(s("text", { class: ON[part.tone], x: (x + 8).toFixed(1), y: 13 }, part.text));
    else if (part.text) beside.push(part.text);
    x += width + 1.5;
  }
  if (beside.length > 0 && x < WIDTH * 0.6) drawn.push(s("text", { class: "beside", x: (x + 8).toFixed(1), y: 13 }, beside.join(" + ")));
  return drawn;
}

function layerList(layers) {
  const shown = layers.filter((layer) => layer.size > 0);
  const rest = layers.length - shown.length;
  const items = shown.map((layer) => h("li", {}, h("code", { title: layer.made_by }, layer.made_by || t("imported file system")), h("span", { class: "num" }, `${grouped(layer.size)} B`)));
  return h("details", {}, h("summary", {}, t("%(count)s of %(total)s instructions made bytes", { count: shown.length, total: layers.length })), h("ol", {}, ...items, ...(rest ? [h("li", {}, h("small", {}, t("%(n)s others only say something about the image", { n: rest })))] : [])));
}

const LINES = [
  [t("Files"), (found) => grouped(found.files)],
  [t("Executables"), (found) => grouped(found.executables)],
  [t("Commands a shell finds"), (found) => grouped(found.commands)],
  [t("Setuid files"), (found) => grouped(found.setuid), (found) => found.setuid > 0 && found.setuid_paths.join("\n")],
  [t("Shell"), (found) => ending(found.shell), (found) => found.shell],
  [t("Package manager"), (found) => ending(found.package_manager), (found) => found.package_manager],
  [t("Compiler"), (found) => ending(found.compiler), (found) => found.compiler],
  [t("Source code"), (found) => ending(found.source), (found) => found.source],
  [t("Runs as"), (found) => found.user.split(":")[0], (found) => found.user === "root" && t("user 0 may do all inside")],
];
const ROLES = { build: t("build"), single: t("single") };
const ending = (path) => path?.split("/").at(-1) ?? t("none");

function renderSurface(images) {
  const read = images.filter((image) => image.surface);
  const key = JSON.stringify(read);
  if (byId("surface").dataset.key === key) return;
  byId("surface").dataset.key = key;
  byId("surface-foot").replaceChildren(...inline(read.length === 0 ? t("Not read yet: “Build and read all” exports each image and counts.") : t("Files of each image as `docker export` gives them. A triangle is what an intruder could use; point at it for the path.")));
  const table = byId("surface");
  table.hidden = read.length === 0;
  const heads = read.map((image) => h("th", { scope: "col", class: "num" }, image.role === "runtime" ? t("on %(name)s", { name: image.base }) : ROLES[image.role] ?? image.role));
  const rows = LINES.map(([title, text, warns]) => h("tr", {}, h("th", { scope: "row" }, title), ...read.map((image) => cell(text(image.surface), warns?.(image.surface)))));
  table.replaceChildren(h("thead", {}, h("tr", {}, h("th", { scope: "col" }), ...heads)), h("tbody", {}, ...rows));
}

/** `where` is the whole path, for who points at it. */
const cell = (text, where) => h("td", { class: "num" }, where ? h("span", { class: "state", title: where }, mark("warn"), text) : text);
