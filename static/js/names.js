/** What phases, kinds of affinity and algorithms are called on the page. Pure. */
import { t } from "./text.js";

const PHASES = { stopped: t("stopped"), starting: t("starting"), running: t("running"), stopping: t("stopping"), failed: t("failed"), frozen: t("frozen"), connecting: t("connecting"), cached: t("cached") };
const MODES = { none: t("none"), cookie: t("cookie"), source_ip: t("source ip") };
const ALGORITHMS = { round_robin: t("round robin"), least_request: t("least request"), random: t("random") };

/** `running`; a phase that has no name of its own goes by what the state calls it. */
export const phaseName = (phase) => PHASES[phase] ?? phase ?? "";
/** `source ip`. */
export const modeName = (mode) => MODES[mode] ?? mode ?? "";
/** `round robin`. */
export const algorithmName = (algorithm) => ALGORITHMS[algorithm] ?? algorithm ?? "";
