/**
 * The beginning of the program in a dropped file, so that a package of 150 MB is not sent anywhere:
 * only the first part of its Agent.Listener is. Nothing is executed, and little is kept.
 */
import { t } from "./text.js";

const LISTENERS = ["bin/Agent.Listener", "bin/Agent.Listener.exe"];
const SENT = 512 * 1024;
const SEARCHED = 512 * 1024 * 1024;
const BLOCK = 512;

/** `{name, data}`: what to send, base64. Rejects with {message, hint} for what holds no program. */
export async function programIn(file) {
  const start = new Uint8Array(await beginning(file, 4));
  if (start[0] === 0x1f && start[1] === 0x8b) return named(file, await fromTar(file));
  if (start[0] === 0x50 && start[1] === 0x4b) return named(file, await fromZip(file));
  return named(file, new Uint8Array(await file.slice(0, SENT).arrayBuffer()));
}

/** Rejects in words for a folder, which browsers give as a file that cannot be read. */
async function beginning(file, length) {
  try {
    return await file.slice(0, length).arrayBuffer();
  } catch {
    throw { message: t("%(file)s cannot be read: it is a folder, or it is gone.", { file: file.name }), hint: t("Drop one file: a package, or bin/Agent.Listener.") };
  }
}

function named(file, bytes) {
  if (!bytes) throw { message: t("There is no %(program)s in %(file)s.", { program: LISTENERS[0], file: file.name }), hint: t("Drop an agent package, or the program itself.") };
  return { name: file.name.slice(0, 300), data: base64(bytes) };
}

/** Walks the archive as it is unpacked, one header of 512 bytes after the other, and stops at the program. */
async function fromTar(file) {
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const source = bytesOf(reader);
  try {
    for (;;) {
      const header = await source.take(BLOCK);
      if (!header || header.every((byte) => byte === 0)) return null;
      const name = text(header.subarray(0, 100)).replace(/^\.\//, "");
      const size = Number.parseInt(text(header.subarray(124, 136)), 8);
      if (!Number.isFinite(size) || size < 0) return null;
      if (LISTENERS.includes(name)) return await source.take(Math.min(size, SENT), true);
      await source.skip(Math.ceil(size / BLOCK) * BLOCK);
    }
  } catch (error) {
    throw { message: t("The package is damaged, or no agent package."), hint: String(error?.message ?? "") };
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Bytes of a stream in pieces of a wanted length; null when there are no more. */
function bytesOf(reader) {
  let rest = new Uint8Array(0);
  const source = { passed: 0, take, skip };

  async function more() {
    const { value, done } = await reader.read();
    if (done) return false;
    source.passed += value.length;
    if (source.passed > SEARCHED) throw new Error(t("%(program)s is not in the first 512 MB of it.", { program: LISTENERS[0] }));
    const joined = new Uint8Array(rest.length + value.length);
    joined.set(rest);
    joined.set(value, rest.length);
    rest = joined;
    return true;
  }

  async function take(count, partly = false) {
    while (rest.length < count) if (!(await more())) break;
    if (rest.length < count && !partly) return null;
    const taken = rest.slice(0, count);
    rest = rest.subarray(taken.length);
    return taken;
  }

  async function skip(count) {
    for (let left = count; ; ) {
      const here = Math.min(left, rest.length);
      rest = rest.subarray(here);
      left -= here;
      if (left === 0 || !(await more())) return;
    }
  }

  return source;
}

/** A zip's table is at its end: find the program there, then unpack just it. */
async function fromZip(file) {
  const tail = new DataView(await file.slice(-65_557).arrayBuffer());
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw { message: t("The package is damaged: its table of files is missing."), hint: t("Was it downloaded to the end?") };
  const size = tail.getUint32(end + 12, true);
  const place = tail.getUint32(end + 16, true);
  const table = new DataView(await file.slice(place, place + size).arrayBuffer());
  for (let at = 0; at + 46 <= table.byteLength && table.getUint32(at, true) === 0x02014b50; ) {
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => table.getUint16(at + offset, true));
    const name = text(new Uint8Array(table.buffer, at + 46, Math.min(nameLength, table.byteLength - at - 46)));
    if (LISTENERS.includes(name)) return unzipped(file, table, at);
    at += 46 + nameLength + extra + comment;
  }
  return null;
}

async function unzipped(file, table, at) {
  const [method, packed, place] = [table.getUint16(at + 10, true), table.getUint32(at + 20, true), table.getUint32(at + 42, true)];
  const header = new DataView(await file.slice(place, place + 30).arrayBuffer());
  const begin = place + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const content = file.slice(begin, begin + packed);
  if (method === 0) return new Uint8Array(await content.slice(0, SENT).arrayBuffer());
  const reader = content.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const found = await bytesOf(reader).take(SENT, true);
  reader.cancel().catch(() => {});
  return found;
}

/** Up to the first NUL. */
function text(bytes) {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function base64(bytes) {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}
