/** Marks keywords in the sources and hangs a note beside a line, as long as that line says what the note says. */
import { h } from "./dom.js";

const NOTES = [
  [/^FROM \S*(RUNTIME|alpine)\S* +as base/i, "What the app will live in: small."],
  [/^EXPOSE 8080/, "A note to readers. It publishes nothing."],
  [/^FROM \S*(GOLANG|golang)\S* +as build/i, "A second start: here the compiler lives."],
  [/^RUN .*go build/, "The one step that needs the Go toolchain."],
  [/^FROM base as final/i, "Back to the small one."],
  [/^COPY --from=build/, "Only the result crosses over."],
  [/^USER /, "Not root, even inside."],
  [/"net\/http"$/, "A web server out of the standard library."],
  [/fmt\.Fprintf?\(w, "Hello-Go"\)/, "What a call gets."],
  [/^listen = ":8080"|ListenAndServe\(":8080"/, "Must match the port that is published."],
];
const WORDS = {
  Dockerfile: /(^\s*(?:FROM|RUN|ADD|COPY|WORKDIR|EXPOSE|CMD|ENTRYPOINT|USER|ENV|ARG|LABEL)\b|\bas\b(?= \w+$)|\bAS\b)|("[^"]*")|(^\s*#.*)/g,
  go: /(\b(?:package|import|func|return|if|else|for|var|const|type|struct|defer|go|range|nil)\b)|("(?:[^"\\]|\\.)*")|(\/\/.*)/g,
};

/** Go over all sources on the page. */
export function annotate() {
  for (const table of document.querySelectorAll("table[data-source]")) {
    const words = table.dataset.source.endsWith(".go") ? WORDS.go : WORDS.Dockerfile;
    for (const row of table.rows) annotateLine(row, words);
  }
}

function annotateLine(row, words) {
  const code = row.querySelector("code");
  const text = code.textContent;
  const note = NOTES.find(([pattern]) => pattern.test(text.trim()))?.[1];
  if (note) {
    row.classList.add("noted");
    row.querySelector(".why-line").append(h("span", {}, note));
  }
  code.replaceChildren(...coloured(text, words));
  if (/^(#|\/\/)/.test(text.trim())) spread(row);
}

/** A comment has the whole width: no note belongs to it. */
function spread(row) {
  row.querySelector(".why-line").remove();
  row.querySelector(".src").colSpan = 2;
}

function coloured(text, words) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(words)) {
    parts.push(text.slice(from, found.index), h("span", { class: found[1] ? "k" : found[2] ? "s" : "c" }, found[0]));
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}
