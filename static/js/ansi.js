/** Colours of a terminal out of escape sequences (ECMA-48, SGR). Pure; everything else in them is dropped. */

const NAMES = ["t-black", "t-red", "t-green", "t-yellow", "t-blue", "t-magenta", "t-cyan", "t-white"];
const SEQUENCE = /\u001b(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** A terminal that nothing was written to. */
export const plainInk = () => ({ colour: null, bold: false, dim: false });

/**
 * The pieces of one line, `{text, classes}`, and the ink that the next line begins with. A text is never
 * markup, and no class is made of it.
 */
export function colouredPieces(line, ink = plainInk()) {
  const pieces = [];
  let now = { ...ink };
  let from = 0;
  for (const found of line.matchAll(SEQUENCE)) {
    push(pieces, line.slice(from, found.index), now);
    if (found[2] === "m") now = after(now, found[1]);
    from = found.index + found[0].length;
  }
  push(pieces, line.slice(from), now);
  return { pieces, ink: now };
}

/** The text without any of it. */
export const plainText = (text) => text.replace(SEQUENCE, "").replace(CONTROLS, "");

function push(pieces, text, { colour, bold, dim }) {
  const shown = text.replace(CONTROLS, "");
  const classes = [colour, bold && "t-bold", dim && "t-dim"].filter(Boolean).join(" ");
  if (shown) pieces.push({ text: shown, classes });
}

function after(ink, parameters) {
  const codes = parameters === "" ? [0] : parameters.split(";").map(Number);
  const now = { ...ink };
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i];
    if (code === 0) Object.assign(now, plainInk());
    else if (code === 1) now.bold = true;
    else if (code === 2) now.dim = true;
    else if (code === 22) now.bold = now.dim = false;
    else if (code >= 30 && code <= 37) now.colour = NAMES[code - 30];
    else if (code >= 90 && code <= 97) now.colour = NAMES[code - 90];
    else if (code === 39) now.colour = null;
    else if (code === 38 || code === 48) i += codes[i + 1] === 5 ? 2 : 4; // one of 256, or of millions
  }
  return now;
}
