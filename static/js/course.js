/** The list of exercises: how far one got, brought up to date when a step passes. */
import { call } from "./api.js";
import { byId, setAttributes, setText } from "./dom.js";
import { howFar } from "./exercise_words.js";
import { begin } from "./live.js";

begin({ render: () => {}, hear: (events) => events.some((event) => event.kind === "exercise.step_passed") && refresh() });

async function refresh() {
  const { exercises } = await call("GET", "/exercises");
  for (const exercise of exercises) {
    const row = byId("course").querySelector(`[data-exercise="${exercise.slug}"]`);
    if (!row) continue;
    for (const [place, rect] of [...row.querySelectorAll("rect")].entries()) setAttributes(rect, { class: exercise.steps[place]?.passed ? "on" : null });
    setText(row.querySelector(".how-far > span"), howFar(exercise));
  }
}
