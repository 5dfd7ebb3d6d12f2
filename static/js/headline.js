/** The verdict on the page: seen at once, said to a screen reader when it has settled. */
import { byId, mark, setText } from "./dom.js";

const SETTLED = 1500;
let timer = null;

/** Show `{tone, title, more}` in #verdict; the diamond stands before what failed. */
export function renderHeadline({ tone, title, more }) {
  const element = byId("verdict");
  if (element.dataset.tone !== tone || element.lastChild?.textContent !== title) {
    element.dataset.tone = tone;
    const failed = byId("main").dataset.phase === "failed";
    element.replaceChildren(...(failed ? [mark("refused"), " "] : []), title);
    clearTimeout(timer);
    timer = setTimeout(() => setText(byId("verdict-said"), `${title}. ${byId("verdict-more").textContent}`), SETTLED);
  }
  setText(byId("verdict-more"), more);
}
