/** Calls of the running app: what came back, call after call, and a small load with its percentiles. */
import { ask, wish } from "./ask.js";
import { byId, h, mark, setText } from "./dom.js";
import { number, t, tn } from "./text.js";
import { grouped, milliseconds } from "./units.js";

const EVERY = 1000;
let timer = null;

/** Serve the controls of the calling section. */
export function offerCalls(page) {
  const once = () => ask(page, "call", true, "acts-said", "POST", "/hello-go/call", {});
  byId("call").addEventListener("click", once);
  byId("call-again").addEventListener("click", once);
  byId("repeat").addEventListener("change", (event) => {
    clearInterval(timer);
    timer = event.target.checked ? setInterval(once, EVERY) : null;
  });
  byId("load").addEventListener("submit", (event) => {
    event.preventDefault();
    const body = { count: Number(byId("load-count").value), callers: Number(byId("load-callers").value) };
    ask(page, "load", true, "load-said", "POST", "/hello-go/load", body);
  });
}

/** Show the last answer, the times, the load; what cannot be done now is disabled. */
export function renderCalls(hello, live) {
  const running = live && hello.phase === "running";
  const loading = hello.load?.state === "running";
  for (const id of ["repeat", "call-again"]) byId(id).disabled = !running;
  for (const id of ["load-count", "load-callers", "load-go"]) byId(id).disabled = !running || loading || wish("load") !== undefined;
  if (!running && timer) endRepeating();
  renderLast(hello.calls?.last);
  renderTimes(hello.calls?.times ?? []);
  renderLoad(hello.load);
}

function endRepeating() {
  clearInterval(timer);
  timer = null;
  byId("repeat").checked = false;
}

function renderLast(last) {
  const element = byId("call-result");
  const text = last ? `${last.status}, ${last.body.trim()}, ${milliseconds(last.ms)}` : t("Not called yet.");
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  element.replaceChildren(...(last ? [mark(last.status < 400 ? "ok" : "refused")] : []), h("span", {}, text));
  const answer = byId("call-answer");
  answer.hidden = !last;
  if (!last) return;
  const headers = Object.entries(last.headers ?? {}).map(([name, value]) => h("span", {}, h("span", { class: "dim" }, `${name}: `), value, "\n"));
  answer.replaceChildren(h("span", { class: "cmd" }, `HTTP/1.1 ${last.status}`), "\n", ...headers, "\n", last.body);
}

function renderTimes(times) {
  const slowest = Math.max(1, ...times);
  const element = byId("call-times");
  const key = times.join(" ");
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  element.replaceChildren(...times.map((ms) => h("span", { title: milliseconds(ms) }, bar(ms / slowest), h("small", {}, milliseconds(ms)))));
}

/** A bar of ten cells: no style attribute is allowed here, so it is a meter. */
const bar = (share) => h("meter", { min: "0", max: "1", value: String(share), "aria-hidden": "true" });

function renderLoad(load) {
  const table = byId("percentiles");
  table.hidden = load?.state !== "done";
  const words = load?.state === "running" ? t("Calling %(count)s times, %(callers)s at a time…", { count: grouped(load.count), callers: load.callers }) : load?.state === "done" ? said(load) : "";
  setText(byId("load-foot"), words);
  if (table.hidden || table.dataset.key === JSON.stringify(load)) return;
  table.dataset.key = JSON.stringify(load);
  const cells = [grouped(load.n), ...[load.p50, load.p95, load.p99, load.max].map((ms) => (ms === null || ms === undefined ? "–" : milliseconds(ms))), grouped(Math.round(load.per_second))];
  table.tBodies[0].rows[0].replaceChildren(...cells.map((text) => h("td", { class: "num" }, h("b", {}, text))));
}

function said(load) {
  const failed = load.failed > 0 ? `${tn("%(n)s call got no answer.", "%(n)s calls got no answer.", load.failed)} ` : "";
  const values = { calls: grouped(load.n), seconds: number(load.seconds) };
  return failed + tn("n = %(calls)s, %(n)s caller, %(seconds)s s in all; each caller keeps its connection.", "n = %(calls)s, %(n)s callers, %(seconds)s s in all; each caller keeps its connection.", load.callers, values);
}
