/** The checks of a step: what each expects, what it saw, and when they are asked again. */
import { h, mark, setText } from "./dom.js";
import { NOT_ASKED } from "./exercise_words.js";
import { recorded, t } from "./text.js";

/** Whether one of these events is a reason to ask the step's checks again. Pure. */
export function concerns(step, events) {
  const kinds = step.checks.flatMap((check) => check.kinds);
  return events.some((event) => kinds.some((kind) => (kind.endsWith(".") ? event.kind.startsWith(kind) : event.kind === kind)));
}

/** The student's answers, in the order of the step's questions. */
export const answersOf = (section) => [...section.querySelectorAll("[data-answer]")].map((input) => input.value.trim());

/** Write answers into the questions. */
export function fillAnswers(section, results) {
  for (const [place, { answer }] of results.entries()) {
    const input = section.querySelector(`[data-check="${place}"] [data-answer]`);
    if (input && answer) input.value = answer;
  }
}

/** Show results; before the first answer what each check is about. A check that has not passed is no error. */
export function renderChecks(section, step, results) {
  for (const [place, check] of step.checks.entries()) {
    const row = section.querySelector(`[data-check="${place}"]`);
    const result = results[place];
    const passed = step.passed || Boolean(result?.passed);
    const shape = passed ? "ok" : "info";
    if (row.dataset.shape !== shape) {
      row.dataset.shape = shape;
      row.querySelector("[data-mark]").replaceChildren(mark(shape), h("span", { class: "sr" }, passed ? t("passed") : t("not yet")));
    }
    setText(row.querySelector("[data-expected]"), recorded(result?.expected ?? check.about));
    setText(row.querySelector("[data-seen]"), result ? recorded(result.seen) : NOT_ASKED);
  }
}
