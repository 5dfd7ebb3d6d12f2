/** Home: how far one got in each exercise. */
import { call } from "./api.js";
import { byId, h, keyed, s, setAttributes, setText } from "./dom.js";
import { howFar, minutes, sumOf } from "./exercise_words.js";

/** Ask again when a step has passed. */
export function hearExercises(events) {
  if (events.some((event) => event.kind === "exercise.step_passed")) showExercises();
}

export async function showExercises() {
  const answer = await call("GET", "/exercises").catch(() => null);
  if (!answer) return;
  keyed(byId("exercises"), answer.exercises, (exercise) => exercise.slug, make, update);
  const steps = answer.exercises.flatMap((exercise) => exercise.steps);
  setText(byId("exercises-sum"), sumOf(steps.filter((step) => step.passed).length, steps.length));
}

function make(exercise) {
  const bars = exercise.steps.map((_, place) => s("rect", { x: place * 22, y: 1, width: 18, height: 8, rx: 2 }));
  const width = exercise.steps.length * 22 - 4;
  const title = h("div", {}, h("a", { href: `/exercises/${exercise.slug}` }, exercise.title), h("small", {}, minutes(exercise.minutes)));
  return h("li", {}, title, s("svg", { class: "prog", viewBox: `0 0 ${width} 10`, width, height: 10, "aria-hidden": "true" }, ...bars), h("span"));
}

function update(row, exercise) {
  for (const [place, bar] of [...row.querySelectorAll("rect")].entries()) setAttributes(bar, { class: exercise.steps[place]?.passed ? "on" : null });
  setText(row.lastElementChild, howFar(exercise));
}
