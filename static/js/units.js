/** Numbers and moments as people read them. Pure. */
import { number, t } from "./text.js";

/** `19:20:01.123` in the reader's own time zone. */
export function clock(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "";
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** `19:20:01`. */
export const clockSeconds = (at) => clock(at).slice(0, 8);

/** `0.4 s`, `26.8 s`, `2 min 05 s`. */
export function seconds(value) {
  if (value < 60) return `${number(value, 1)} s`;
  return `${Math.floor(value / 60)} min ${two(Math.floor(value % 60))} s`;
}

/** `1.8 ms`, `312 ms`, `2.1 s`. */
export function milliseconds(value) {
  if (value >= 1000) return `${number(value / 1000, 1)} s`;
  return `${number(value, value < 10 ? 1 : 0)} ms`;
}

/** `7.8 MB`, in units of a million as `docker images` has them. */
export function megabytes(bytes) {
  const value = bytes / 1e6;
  return `${number(value, value < 100 ? 1 : 0)} MB`;
}

/** `1,000`. */
export const grouped = (value) => number(value);

const WORDS = [t("no"), t("one"), t("two"), t("three"), t("four"), t("five"), t("six"), t("seven"), t("eight"), t("nine"), t("ten")];

/** `three`: small numbers in words, where a sentence has them. One is in the sentence itself: it has a gender. */
export const inWords = (count) => WORDS[count] ?? grouped(count);

/** `replica-1, replica-2 and replica-3`. */
export const listed = (names) => (names.length < 2 ? names.join("") : t("%(names)s and %(last)s", { names: names.slice(0, -1).join(", "), last: names.at(-1) }));

/** First letter large. */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const two = (number) => String(number).padStart(2, "0");

/**
 * The last moment up to `newest` when the reader's clocks showed `20:01` or `20:01:04`, as events have it.
 */
export function momentOf(time, newest) {
  const [hours, minutes, seconds = 0] = time.split(":").map(Number);
  const moment = new Date(newest);
  moment.setHours(hours, minutes, seconds, 0);
  if (moment > new Date(newest)) moment.setDate(moment.getDate() - 1);
  return moment.toISOString();
}
