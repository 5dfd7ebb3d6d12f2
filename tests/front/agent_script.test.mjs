/** The form's values as request and link, and the page's sentences. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { programIn } from "../../static/js/agent_script_file.js";
import { asQuery, asRequest, fromQuery, ridOf } from "../../static/js/agent_script_request.js";
import { previewVerdict, refusedVerdict, rehearsalVerdict } from "../../static/js/agent_script_words.js";

const VALUES = {
  processor: "arm", system: "linux", version: "2.173.0", url: "https://example.test/o/", kind: "deployment_pool", name: "SandboxDeploy", work: "_work",
  project: "", tags: "", agent: "", checksum: "", flavour: "vsts-agent", service: true, detect: false, replace: false,
};

test("the form's values are the API's request", () => {
  assert.deepEqual(asRequest(VALUES), { version: "2.173.0", rid: "linux-arm", url: "https://example.test/o/", work: "_work", service: true, target: { kind: "deployment_pool", name: "SandboxDeploy" } });
  const all = { ...VALUES, kind: "environment", project: "Shop", tags: "a, b,,", agent: "pi", checksum: " AB ", detect: true, replace: true, flavour: "pipelines-agent" };
  assert.deepEqual(asRequest(all), { version: "2.173.0", rid: "linux-arm", url: "https://example.test/o/", work: "_work", service: true, target: { kind: "environment", name: "SandboxDeploy", project: "Shop", tags: ["a", "b"] }, agent: "pi", detect: true, replace: true, flavour: "pipelines-agent", checksums: { "linux-arm": "ab" } });
});

test("a link brings the same values back, whatever they are", () => {
  const odd = { ...VALUES, system: "osx", processor: "arm64", name: "a&b=c #1 ü $(x)", work: "", service: false, detect: true };
  assert.deepEqual(fromQuery(asQuery(odd), VALUES), odd);
  assert.deepEqual(fromQuery("", VALUES), VALUES);
});

test("a link that names what there is not falls back", () => {
  assert.equal(ridOf(fromQuery("system=amiga&processor=m68k", VALUES)), "linux-x64");
  assert.equal(fromQuery("kind=hackers", VALUES).kind, "deployment_pool");
  assert.equal(ridOf({ ...VALUES, system: "linux-musl" }), "linux-musl-x64");
});

test("headlines say what differs, and what a rehearsal met", () => {
  const row = { yours: [{ text: "arm", changed: true }, { text: "-", changed: false }] };
  assert.equal(previewVerdict({ diff: [row], why: "", default: { rid: "linux-x64" } }, { rid: "linux-arm" }).title, "One word differs: x64 became arm");
  assert.match(previewVerdict({ diff: [], why: "", default: { rid: "linux-x64" } }, { rid: "linux-x64" }).title, /^Nothing differs/);
  const met = { phase: "stopped", result: { outcome: "exec_format" }, machine: { uname: "x86_64" }, binary: { fields: [{ name: "Machine", value: "ARM, 0x28" }] } };
  assert.match(rehearsalVerdict(met).title, /Exec format error/);
  assert.match(rehearsalVerdict(met).more, /x86_64 and the package holds ARM instructions/);
  assert.equal(rehearsalVerdict({ phase: "stopped" }), null);
  assert.equal(rehearsalVerdict({ phase: "running", rid: "linux-arm" }, 3.2).title, "Rehearsing with the linux-arm package, 3 s");
});

test("a refusal is told for what it is", () => {
  const title = (kind) => refusedVerdict({ kind, message: "m", hint: "h" }).title;
  assert.match(title("no_such_package"), /no such package/);
  assert.match(title("bad_request"), /No script can be made/);
  assert.match(title("away"), /could not be had/);
});

test("a package whose first file never ends is given up", { timeout: 60_000 }, async () => {
  const chunk = gzipSync(Buffer.alloc(64 * 1024 * 1024, 7));
  const endless = new File([gzipSync(entryHeader("bin/first.dll", 2 ** 32)), ...Array(12).fill(chunk)], "p.tar.gz");
  await assert.rejects(programIn(endless), { message: /not in the first 512 MB|damaged/ });
});

test("the program is found in a package of many pieces, and nothing else is sent", async () => {
  const big = Buffer.alloc(3_000_000, 7);
  const tar = Buffer.concat([entry("bin/first.dll", big), entry("./bin/Agent.Listener", Buffer.from("\x7fELF of a test")), Buffer.alloc(1024)]);
  const found = await programIn(new File([gzipSync(tar)], "p.tar.gz"));
  assert.equal(Buffer.from(found.data, "base64").toString(), "\x7fELF of a test");
});

test("a package without the program, or damaged, is refused in words", async () => {
  await assert.rejects(programIn(new File([gzipSync(Buffer.alloc(1024))], "p.tar.gz")), { message: /no bin\/Agent.Listener/ });
  await assert.rejects(programIn(new File([Buffer.from([0x1f, 0x8b, 1, 2, 3])], "p.tar.gz")), { message: /damaged/ });
  await assert.rejects(programIn(new File(["PK\x03\x04 and no table"], "p.zip")), { message: /table/ });
});

function entryHeader(name, size) {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write(size.toString(8).padStart(11, "0"), 124);
  return header;
}

function entry(name, content) {
  const header = entryHeader(name, content.length);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
