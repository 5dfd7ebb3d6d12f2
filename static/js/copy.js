/** Copy buttons: `data-copy` names the element whose text goes to the clipboard. */
import { byId } from "./dom.js";
import { t } from "./text.js";

/** Serve every copy button of the page, also those that come later. */
export function offerCopies() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button, byId(button.dataset.copy).textContent);
  });
}

async function copy(button, text) {
  const label = button.querySelector("span");
  const before = (label.dataset.label ??= label.textContent);
  label.textContent = (await toClipboard(text)) ? t("Copied") : t("Select it");
  setTimeout(() => (label.textContent = before), 1500);
}

/** A page served over plain http to a classroom has no clipboard API: then a selection and the old command. */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "sr";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
