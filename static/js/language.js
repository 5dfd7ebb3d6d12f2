/** The language switch: remembered for a year, and the page comes again in that language. */

const YEAR = 365 * 24 * 3600;

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    document.cookie = `labdeck_language=${button.dataset.language}; path=/; max-age=${YEAR}; SameSite=Lax`;
    location.reload();
  });
}
