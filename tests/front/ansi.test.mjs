import assert from "node:assert/strict";
import { test } from "node:test";
import { colouredPieces, plainInk, plainText } from "../../static/js/ansi.js";

const ESC = "\u001b";
const pieces = (line, ink) => colouredPieces(line, ink).pieces;

test("the builder's red stays red, over lines, until it is taken back", () => {
  const first = colouredPieces(`${ESC}[91m# hello-go`);
  assert.deepEqual(first.pieces, [{ text: "# hello-go", classes: "t-red" }]);
  const second = colouredPieces(`${ESC}[0m${ESC}[91m./hello-go.go:12:7: undefined${ESC}[0m`, first.ink);
  assert.deepEqual(second.pieces, [{ text: "./hello-go.go:12:7: undefined", classes: "t-red" }]);
  assert.deepEqual(second.ink, plainInk());
});

test("markup is text and no class comes from outside", () => {
  const line = `<img src=x onerror=alert(1)>${ESC}[1;32m<b>ok</b>${ESC}[99m.${ESC}[38;5;208mx`;
  assert.deepEqual(pieces(line), [
    { text: "<img src=x onerror=alert(1)>", classes: "" },
    { text: "<b>ok</b>", classes: "t-green t-bold" },
    { text: ".", classes: "t-green t-bold" },
    { text: "x", classes: "t-green t-bold" },
  ]);
});

test("cursor movements, titles and control characters are dropped", () => {
  const line = `${ESC}[2K${ESC}[1Ga\u0007${ESC}]0;title\u0007b${ESC}]8;;http://evil.example${ESC}\\c\u0000`;
  assert.equal(pieces(line).map((piece) => piece.text).join(""), "abc");
  assert.equal(plainText(line), "abc");
});
