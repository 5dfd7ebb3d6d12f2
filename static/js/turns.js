/** What need not be in this frame takes turns in the next ones: one piece of work a frame, none twice. */

/** Nothing waits. */
export function createTurns() {
  return { waiting: new Map(), asked: false };
}

/** Do `work` in a frame after this one; asked for again before its turn came, only the newer is done. */
export function inTurn(turns, name, work) {
  turns.waiting.set(name, work);
  ask(turns);
}

function ask(turns) {
  if (turns.asked) return;
  turns.asked = true;
  requestAnimationFrame(() => {
    turns.asked = false;
    const [[name, work]] = turns.waiting;
    turns.waiting.delete(name);
    if (turns.waiting.size > 0) ask(turns);
    work();
  });
}
