/** What the form says, as a request to the API and as a link. Pure. */
import { t } from "./text.js";

/** Processors that are offered for a system, with the words under the choice. */
export const PROCESSORS = {
  linux: { x64: t("64-bit Intel and AMD. `uname -m` says x86_64."), arm: t("32-bit ARM, for example Raspberry Pi OS. `uname -m` says armv7l."), arm64: t("64-bit ARM. `uname -m` says aarch64, and `getconf LONG_BIT` says 64.") },
  "linux-musl": { x64: t("64-bit Intel and AMD with musl, such as Alpine."), arm64: t("64-bit ARM with musl, such as Alpine.") },
  osx: { x64: t("Mac with Intel. `uname -m` says x86_64."), arm64: t("Mac with Apple silicon. `uname -m` says arm64.") },
  win: { x64: t("64-bit Windows."), x86: t("32-bit Windows."), arm64: t("Windows on ARM.") },
};

/** Kinds of target: the label of their name, and whether they belong to a project. */
export const TARGETS = {
  deployment_pool: { label: t("Pool name"), project: false },
  deployment_group: { label: t("Group name"), project: true },
  environment: { label: t("Environment"), project: true },
  agent_pool: { label: t("Pool name"), project: false },
};

export const TEXTS = ["version", "url", "kind", "name", "work", "project", "tags", "agent", "checksum", "flavour", "system", "processor"];
export const SWITCHES = ["service", "detect", "replace"];
/** What a link leaves out because everybody begins with it. */
const USUAL = { work: "_work", project: "", tags: "", agent: "", checksum: "", flavour: "vsts-agent", service: true, detect: false, replace: false };

/** The processor of these values that the system has; the first when it has not that one. */
export function processorOf({ system, processor }) {
  const offered = Object.keys(PROCESSORS[system] ?? PROCESSORS.linux);
  return offered.includes(processor) ? processor : offered[0];
}

/** True for a script that chooses the processor by itself; Windows has none. */
export const asksMachine = ({ detect, system }) => detect && system !== "win";

export const ridOf = (values) => `${values.system}-${processorOf(values)}`;

/** The body of POST /api/agent-script. */
export function asRequest(values) {
  const rid = ridOf(values);
  const ofProject = TARGETS[values.kind].project;
  const tags = ofProject ? values.tags.split(",").map((tag) => tag.trim()).filter(Boolean) : [];
  const target = { kind: values.kind, name: values.name };
  if (ofProject && values.project) target.project = values.project;
  if (tags.length > 0) target.tags = tags;
  const request = { version: values.version.trim(), rid, url: values.url.trim(), work: values.work, service: values.service, target };
  if (values.agent) request.agent = values.agent;
  if (asksMachine(values)) request.detect = true;
  if (values.replace) request.replace = true;
  if (values.flavour !== "vsts-agent") request.flavour = values.flavour;
  if (values.checksum.trim()) request.checksums = { [rid]: values.checksum.trim().toLowerCase() };
  return request;
}

/** The values as a query string; nothing of them is secret. */
export function asQuery(values) {
  const query = new URLSearchParams();
  for (const name of [...TEXTS, ...SWITCHES]) {
    if (values[name] !== USUAL[name]) query.set(name, typeof values[name] === "boolean" ? Number(values[name]) : values[name]);
  }
  return query.toString();
}

/** Values out of a link, over those the form has; what a link names and the form has not is left out. */
export function fromQuery(text, values) {
  const query = new URLSearchParams(text);
  const found = { ...values };
  for (const name of TEXTS) if (query.has(name)) found[name] = query.get(name);
  for (const name of SWITCHES) if (query.has(name)) found[name] = query.get(name) === "1";
  if (!PROCESSORS[found.system]) found.system = "linux";
  if (!TARGETS[found.kind]) found.kind = "deployment_pool";
  found.processor = processorOf(found);
  return found;
}
