/* What the keyboard has reached on a page: `stop()` looks at where it is, `unreached()` at what it left out. */
({
  stop() {
    const it = document.activeElement;
    if (it === document.body) return null;
    // a field for a time has a stop for each of its parts
    const again = it.dataset.reached === "yes" && it !== window.stoppedAt;
    window.stoppedAt = it;
    it.dataset.reached = "yes";
    const drawn = it.matches(".seg input") ? it.closest("label") : it;
    const { width, height, top, bottom, left, right } = drawn.getBoundingClientRect();
    const inView = width > 8 && height > 8 && top < innerHeight && bottom > 0 && left < innerWidth && right > 0;
    const style = getComputedStyle(drawn);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return { what: it.outerHTML.slice(0, 160), again, shown: inView && outlined };
  },
  unreached() {
    const top = document.querySelector("dialog[open]") ?? document;
    const ofReachedGroup = (one) => one.type === "radio" && top.querySelector(`[name="${one.name}"][data-reached]`);
    return [...top.querySelectorAll("a[href], button, input, select, textarea, summary, [role=button]")]
      .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.matches(":disabled"))
      .filter((one) => !one.dataset.reached && !ofReachedGroup(one))
      .map((one) => one.outerHTML.slice(0, 160));
  },
})
