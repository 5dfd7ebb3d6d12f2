/* A classic script in the head: the chosen theme is on <html> before the first paint. */
(() => {
  try {
    const theme = localStorage.getItem("labdeck-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    /* no storage: the page follows the system */
  }
})();
