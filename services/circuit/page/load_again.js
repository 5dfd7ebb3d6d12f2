// A classic script in the head: Chromium drops what it loads when the network changes, as it does when a
// container gets its own. Then the page is loaded again, once; after that it says so.
addEventListener('error', ({ target }) => {
  if (!(target instanceof HTMLScriptElement || target instanceof HTMLLinkElement)) return;
  const last = Number(sessionStorage.getItem('labdeck-loaded-again') ?? 0);
  if (Date.now() - last > 10_000) {
    sessionStorage.setItem('labdeck-loaded-again', String(Date.now()));
    location.reload();
    return;
  }
  document.getElementById('verdict').textContent = 'A file of this page did not load';
  document.getElementById('explanation').textContent = 'Load the page again.';
}, true);
