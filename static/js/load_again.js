/* A classic script in the head: when a file of the page did not load, because the network changed just then (a
   container got one), the page is loaded again, a little later each time; after some times it says so. */
const words = document.currentScript.dataset;
const TIMES = 5;
const FORGOTTEN = 30_000;
let leaving = false;
addEventListener(
  "error",
  (event) => {
    if (leaving || !(event.target instanceof HTMLScriptElement || event.target instanceof HTMLLinkElement)) return;
    const [times, last] = JSON.parse(sessionStorage.getItem("labdeck-loads") ?? "[0, 0]");
    const before = Date.now() - last > FORGOTTEN ? 0 : times;
    if (before < TIMES) {
      leaving = true;
      sessionStorage.setItem("labdeck-loads", JSON.stringify([before + 1, Date.now()]));
      setTimeout(() => location.reload(), 300 * before);
      return;
    }
    const verdict = document.getElementById("verdict");
    if (verdict) verdict.textContent = words.title;
    const more = document.getElementById("verdict-more");
    if (more) more.textContent = words.more;
  },
  true,
);
