/** Which processor's program runs here, as the kernel said when it was started. */
import { byId, h, mark, setText } from "./dom.js";
import { recorded, t } from "./text.js";
import { megabytes } from "./units.js";

const WAITS = { building: t("compiling…"), trying: t("starting…") };

/** Draw `state.hello_go.processors`; `here` is this machine's own. */
export function renderProcessors(processors, here) {
  setText(byId("cpu-here"), here ? t("this machine is %(here)s", { here }) : "");
  for (const row of document.querySelectorAll(".cpus tr[data-platform]")) {
    const found = processors?.[row.dataset.platform];
    const key = JSON.stringify([found ?? null, here]);
    if (row.dataset.key === key) continue;
    row.dataset.key = key;
    const [, told, size, says] = row.cells;
    if (row.dataset.platform === here) told.replaceChildren(h("small", {}, t("nothing: this machine's own")));
    setText(size, found?.size ? megabytes(found.size) : "");
    says.replaceChildren(...(found ? verdict(found) : [h("small", {}, t("not tried yet"))]));
  }
}

function verdict({ state, runs, says, exit_code: code }) {
  if (WAITS[state]) return [h("span", { class: "state" }, mark("spin"), " ", WAITS[state])];
  if (state === "failed") return [h("span", { class: "state" }, mark("refused"), " ", says ? recorded(says) : t("failed"))];
  const end = !runs && code !== null && code !== undefined ? h("small", {}, ` ${t("exit code %(code)s", { code })}`) : "";
  return [h("span", { class: "state" }, mark(runs ? "ok" : "refused"), " ", runs ? `${t("runs:")} ` : "", h("code", {}, says), end)];
}
