/** Canvas needs resolved colours; elements of the page's own classes have them. */

/** The tokens of these names (`ok`, `replica-1`) as colours, where `element` is, in the theme of now. */
export function paintOf(element, names) {
  const probe = document.createElement("i");
  element.append(probe);
  const paint = Object.fromEntries(names.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  }));
  probe.remove();
  return paint;
}

/** Call `repaint` whenever the colours are others. */
export function onPaint(repaint) {
  document.addEventListener("themechange", repaint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}
