/** What the exercise pages say, in one place. Pure. */
import { t, tn } from "./text.js";
import { grouped } from "./units.js";

export const DONE = t("done");
export const NOT_ASKED = t("not asked yet");
export const NOTHING_PRESENTED = t("Nothing is presented.");
export const FOLLOWING = t("You follow the presenter.");
export const ASIDE = t("You stepped aside; the presenter goes on.");
export const PRESENTATION_OVER = t("The presentation is over.");
export const STEP_DONE = t("This step is done.");
export const FORGET_SURE = t("Forget all progress in this exercise? The lab stays as it is.");
export const UNDER_WAY = t("The last button is still at work.");

/** `18 min left`, `2 min over; nothing ends`. */
export function timeLeft(seconds) {
  const minutes = Math.ceil(Math.abs(seconds) / 60);
  return seconds >= 0 ? t("%(minutes)s min left", { minutes: grouped(minutes) }) : t("%(minutes)s min over; nothing ends", { minutes: grouped(minutes) });
}

/** Seconds until the exercise's time is over, less than nothing after that. `now` is the server's, in milliseconds. */
export const secondsLeft = ({ minutes: given, begun_at: begun }, now) => given * 60 - (now - Date.parse(begun)) / 1000;

/** `not begun`, `2 of 6 done`, `all done`. */
export function howFar({ begun, steps }) {
  const passed = steps.filter((step) => step.passed).length;
  if (!begun) return t("not begun");
  return passed === steps.length ? t("all done") : t("%(done)s of %(steps)s done", { done: passed, steps: steps.length });
}

/** A deed as one line: `PUT /visitors {"count":12}`, `wait for visitors`. */
export function deedLine(deed) {
  if (deed.wait) return t("wait: %(check)s", { check: deed.wait.replaceAll("_", " ") });
  return `${deed.method} ${deed.path}${deed.body ? ` ${JSON.stringify(deed.body)}` : ""}`;
}

export const alreadySo = (message) => `${message} ${t("Going on.")}`;
export const waitedInVain = (expected, seen) => ({ message: t("It did not come about: %(expected)s", { expected }), hint: t("Seen: %(seen)s Check again, or start the step over.", { seen }) });
export const jobSilent = { message: t("The lab has not said how it ended."), hint: t("Look at the lab's page; then try again.") };
export const stepOf = (number, total) => t("Step %(number)s of %(steps)s", { number, steps: total });
export function follow(count, link) {
  const who = count === 0 ? t("nobody follows") : tn("%(n)s follows", "%(n)s follow", count);
  return link ? t("%(who)s at %(link)s", { who, link }) : who;
}

export const killLabel = (name) => (name ? t("Kill %(name)s", { name }) : t("Kill a replica"));
export const roleOf = { follower: t("For followers"), instructor: t("For an instructor") };
export const REVOKE = t("Revoke");
export const COPY = t("Copy");
export const qrFor = (role) => (role === "follower" ? t("QR code of the link: for followers") : t("QR code of the link: for an instructor"));
export const minutes = (count) => tn("%(n)s minute", "%(n)s minutes", count);
export const sumOf = (done, total) => tn("%(done)s of %(n)s step done", "%(done)s of %(n)s steps done", total, { done: grouped(done) });
