/* A classic script in the head: when a file of the page did not load, because the network changed just then,
   the page is loaded again, once; after that it says so. */
const words = document.currentScript.dataset;
addEventListener(
  "error",
  (event) => {
    if (!(event.target instanceof HTMLScriptElement || event.target instanceof HTMLLinkElement)) return;
    const last = Number(sessionStorage.getItem("labdeck-loaded-again") ?? 0);
    if (Date.now() - last > 10_000) {
      sessionStorage.setItem("labdeck-loaded-again", String(Date.now()));
      location.reload();
      return;
    }
    const verdict = document.getElementById("verdict");
    if (verdict) verdict.textContent = words.title;
    const more = document.getElementById("verdict-more");
    if (more) more.textContent = words.more;
  },
  true,
);
