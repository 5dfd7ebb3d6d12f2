/** Where everything of a visitor's sequence diagram stands. Pure: a story in, numbers and texts out. */
import { numberOf } from "./store.js";
import { t } from "./text.js";

const WIDTH = 390;
const EDGE = 4;
const TOP = 4;
const BOX = 26;
const LETTER = 6.5;
const LINE = 16;
const ROW = 62;
const MEMO = 24;
const BRACKETS = { connection_unknown: t("wrong number"), circuit_unknown: t("the memory is there"), page_from_elsewhere: t("another key"), memory_unreadable: t("another key") };

/** The steps to draw: all, or as far as the first that was refused when the story is about a failure. */
export function stepsShown(story, all) {
  const end = story.steps.findIndex((step) => step.refused) + 1;
  if (all || end === 0 || story.verdict.failure === null) return story.steps;
  const last = story.verdict.failure === "connection_unknown" ? end : story.steps.findLastIndex((step) => step.refused) + 1;
  return story.steps.slice(0, last);
}

/** `{width, height, lives, rows, memos, miss, hidden}`: lifelines, steps, who holds what, and the broken pin. */
export function sequence(story, all = false) {
  const steps = stepsShown(story, all);
  const lives = lifelines(story, steps);
  const width = lives.width;
  const rows = [];
  const memos = [];
  let y = TOP + BOX + 20;
  for (const [index, step] of steps.entries()) {
    const before = memoBefore(step);
    if (before) y = remember(memos, lives, before, y);
    const row = rowOf(step, index + 1, lives, y);
    rows.push(row);
    y = row.below;
    const after = memoAfter(step, story);
    if (after) y = remember(memos, lives, after, y);
  }
  const miss = missOf(story, steps, lives, y - 12);
  return { width, height: (miss ? miss.y + 34 : y), foot: y - 12, lives: lives.all, rows, memos, miss, hidden: story.steps.length - steps.length };
}

/** Visitor, balancer, then the replicas that the steps are about, by number. */
function lifelines(story, steps) {
  const replicas = [...new Set(steps.flatMap((step) => [step.asked, step.refused ? step.holder : null]).filter(Boolean))];
  replicas.sort((a, b) => numberOf(a) - numberOf(b));
  const names = [story.visitor, "balancer", ...replicas];
  const width = Math.max(WIDTH, 2 * EDGE + names.length * 74 - 6);
  const box = Math.min(84, (width - 2 * EDGE + 6) / names.length - 6);
  const pitch = (width - 2 * EDGE - box) / (names.length - 1);
  const all = names.map((name, i) => ({ name, label: i === 0 ? labelOf(name, box) : i === 1 ? t("balancer") : name, replica: i === 0 ? homeOf(steps) : name, x: EDGE + box / 2 + i * pitch, box }));
  return { all, width, at: (name) => all.find((life) => life.name === name) ?? all[1] };
}

/** `visitor 7`; only the number or id where the box is too small for both. */
function labelOf(name, box) {
  const spoken = /^visitor-/.test(name) ? t("visitor %(name)s", { name: name.slice(8) }) : name.replace(/^browser-/, "browser ");
  return spoken.length * 7 > box ? name.replace(/^(visitor|browser)-/, "") : spoken;
}

/** The replica whose colour the visitor wears: who holds it in the end. None when nobody does any more. */
function homeOf(steps) {
  const last = steps.findLast((step) => step.holder);
  return last && !(last.refused && last.kind === "call" && last.fate !== "held") ? last.holder : null;
}

function rowOf(step, number, lives, top) {
  const [from, via, to] = [lives.all[0].x, lives.all[1].x, lives.at(step.asked).x];
  const room = Math.floor((lives.width - from - 14) / LETTER);
  const words = wrap(step.cookie_words ? `${step.request}, ${step.cookie_words}` : step.request, room);
  const ask = top + words.length * LINE - 9;
  const reply = ask + 30;
  const answer = wrap(`${step.status ?? ""} ${step.answer}`.trim(), room)[0];
  return { number, refused: step.refused, call: step.kind === "call", from, via, to, words, top, ask, reply, answer, below: top + ROW + (words.length - 1) * LINE };
}

/** Two lines at most, cut where a comma or a space is. */
function wrap(text, room) {
  if (text.length <= room) return [text];
  const comma = text.lastIndexOf(", ", room - 1);
  const at = comma > 0 ? comma + 1 : text.lastIndexOf(" ", room);
  if (at <= 0) return [`${text.slice(0, room - 1)}…`];
  const rest = text.slice(at).trim();
  return [text.slice(0, at), rest.length > room ? `${rest.slice(0, room - 1)}…` : rest];
}

/** What a replica holds before it is asked elsewhere for it. */
function memoBefore(step) {
  if (!step.refused || step.kind !== "call" || !step.fate || !step.holder) return null;
  const gone = step.fate !== "held";
  return { replica: step.holder, text: gone ? GONE[step.fate] ?? t("had its memory") : t("holds its memory"), gone };
}

const GONE = { killed: t("had it, was killed"), died: t("had it, died"), stopped: t("had it, was stopped"), expired: t("had it, gave it up"), forgotten: t("had it, forgot it") };

/** What a replica holds from this step on. */
function memoAfter(step, story) {
  if (step.refused) return null;
  if (step.kind === "negotiate") return { replica: step.asked, text: t("holds %(connection)s", { connection: step.answer.split(" ").at(-1) }) };
  if (step.kind === "page" && story.verdict.failure === "page_from_elsewhere") return { replica: step.asked, text: t("signed the page") };
  if (step.kind === "call") return { replica: step.asked, text: t("holds its memory") };
  return null;
}

function remember(memos, lives, memo, y) {
  const width = memo.text.length * LETTER + 16;
  const x = Math.min(lives.width - EDGE - width / 2, Math.max(EDGE + width / 2, lives.at(memo.replica).x));
  memos.push({ ...memo, x, y: y - 10, width, height: MEMO });
  return y + MEMO + 8;
}

/** The bracket from who holds to who was asked; none where they are the same, or nobody was. */
function missOf(story, steps, lives, y) {
  const step = steps.findLast((each) => each.refused);
  if (!step?.holder || !step.asked || step.holder === step.asked || (step.fate && step.fate !== "held")) return null;
  const [a, b] = [lives.at(step.holder).x, lives.at(step.asked).x];
  const text = BRACKETS[story.verdict.failure] ?? t("elsewhere");
  const half = (text.length * LETTER) / 2 + EDGE;
  return { from: Math.min(a, b), to: Math.max(a, b), y, x: Math.min(lives.width - half, Math.max(half, (a + b) / 2)), text };
}
