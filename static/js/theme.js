/** The theme switch: follows the system, light, dark, and around again. */
import "./language.js";
import { t } from "./text.js";

const ORDER = ["auto", "light", "dark"];
const NAMES = { auto: t("Theme: follows the system"), light: t("Theme: light"), dark: t("Theme: dark") };

const button = document.getElementById("theme");

function current() {
  return document.documentElement.dataset.theme ?? "auto";
}

function show() {
  const theme = current();
  button.setAttribute("aria-label", NAMES[theme]);
  button.title = NAMES[theme];
  button.querySelector("use").setAttribute("href", `#i-theme-${theme}`);
}

function choose(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("labdeck-theme", theme);
  } catch {
    /* chosen for this page only */
  }
  show();
  document.dispatchEvent(new Event("themechange"));
}

button.addEventListener("click", () => choose(ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length]));
show();
