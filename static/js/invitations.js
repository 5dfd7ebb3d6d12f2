/** The links that let others in: made, shown with their QR code, revoked. */
import { call } from "./api.js";
import { showProblem } from "./ask.js";
import { byId, h, icon, keyed } from "./dom.js";
import { COPY, REVOKE, qrFor, roleOf } from "./exercise_words.js";

/** Listen to the dialog; `open()` shows it, `address()` is the newest link for followers without `http://`. */
export function offerInvitations(page) {
  let links = [];
  const dialog = byId("invitations");

  async function ask(method, path, body) {
    try {
      const answer = await call(method, `/invitations${path}`, body);
      byId("invite-said").replaceChildren();
      return answer;
    } catch (problem) {
      showProblem(byId("invite-said"), problem);
      return undefined;
    }
  }

  async function refresh() {
    links = (await ask("GET", "", undefined))?.invitations ?? links;
    keyed(byId("links"), links, (link) => link.id, make, () => {});
    byId("this-machine").hidden = links.length === 0 || links.some((link) => link.qr);
    page.refresh();
  }

  function make(link) {
    const code = h("code", { id: `link-${link.id}` }, link.link);
    const revoke = h("button", { class: "btn small", type: "button", "data-revoke": link.id }, icon("close"), h("span", {}, REVOKE));
    const copy = h("button", { class: "btn bare small", type: "button", "data-copy": `link-${link.id}` }, icon("copy"), h("span", {}, COPY));
    const qr = link.qr ? h("img", { class: "qr", src: link.qr, alt: qrFor(link.role), width: 220, height: 220 }) : null;
    return h("li", {}, qr, h("div", { class: "link" }, h("b", {}, roleOf[link.role]), code, h("span", { class: "acts" }, copy, revoke)));
  }

  dialog.addEventListener("click", async ({ target }) => {
    const { revoke } = target.closest("[data-revoke]")?.dataset ?? {};
    const { invite } = target.closest("[data-invite]")?.dataset ?? {};
    if (revoke) await ask("DELETE", `/${encodeURIComponent(revoke)}`, {});
    if (invite) await ask("POST", "", { role: invite });
    if (revoke || invite) refresh();
  });
  byId("invite-close").addEventListener("click", () => dialog.close());
  refresh();
  return {
    open: () => dialog.showModal(),
    address: () => links.find((link) => link.role === "follower")?.link.replace(/^http:\/\//, ""),
  };
}
