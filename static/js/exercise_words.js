/** What the exercise pages say, in one place. Pure. */
import { grouped, plural } from "./units.js";

export const DONE = "done";
export const NOT_ASKED = "not asked yet";
export const NOTHING_PRESENTED = "Nothing is presented.";
export const FOLLOWING = "You follow the presenter.";
export const ASIDE = "You stepped aside; the presenter goes on.";
export const PRESENTATION_OVER = "The presentation is over.";
export const STEP_DONE = "This step is done.";
export const FORGET_SURE = "Forget all progress in this exercise? The lab stays as it is.";
export const UNDER_WAY = "The last button is still at work.";

/** `18 min left`, `2 min over; nothing ends`. */
export function timeLeft(seconds) {
  const minutes = Math.ceil(Math.abs(seconds) / 60);
  return seconds >= 0 ? `${grouped(minutes)} min left` : `${grouped(minutes)} min over; nothing ends`;
}

/** Seconds until the exercise's time is over, less than nothing after that. `now` is the server's, in milliseconds. */
export const secondsLeft = ({ minutes: given, begun_at: begun }, now) => given * 60 - (now - Date.parse(begun)) / 1000;

/** `not begun`, `2 of 6 done`, `all done`. */
export function howFar({ begun, steps }) {
  const passed = steps.filter((step) => step.passed).length;
  if (!begun) return "not begun";
  return passed === steps.length ? "all done" : `${passed} of ${steps.length} done`;
}

/** A deed as one line: `PUT /visitors {"count":12}`, `wait for visitors`. */
export function deedLine(deed) {
  if (deed.wait) return `wait: ${deed.wait.replaceAll("_", " ")}`;
  return `${deed.method} ${deed.path}${deed.body ? ` ${JSON.stringify(deed.body)}` : ""}`;
}

export const alreadySo = (message) => `${message} Going on.`;
export const waitedInVain = (expected, seen) => ({ message: `It did not come about: ${expected}`, hint: `Seen: ${seen} Check again, or start the step over.` });
export const jobSilent = { message: "The lab has not said how it ended.", hint: "Look at the lab's page; then try again." };
export const stepOf = (number, total) => `Step ${number} of ${total}`;
export const follow = (count, link) => `${count === 0 ? "nobody follows" : `${plural(count, "follows", "follow")}`}${link ? ` at ${link}` : ""}`;
export const killLabel = (name) => (name ? `Kill ${name}` : "Kill a replica");
export const roleOf = { follower: "For followers", instructor: "For an instructor" };
export const REVOKE = "Revoke";
export const COPY = "Copy";
export const qrFor = (role) => `QR code of the link: ${roleOf[role].toLowerCase()}`;
export const minutes = (count) => plural(count, "minute");
export const sumOf = (done, total) => `${grouped(done)} of ${plural(total, "step")} done`;
