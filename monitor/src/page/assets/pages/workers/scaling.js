// @ts-check
// Autoscalers: how many workers each keeps, and what it has decided lately.

/** @import { Autoscaler, Deps } from "#types" */

import { h, problemLine, sayProblem, scrolling, tableHead } from "../../lib/dom.js";
import { ago, count, localTimes, plural, time } from "../../lib/format.js";
import { createLoader, everySoOften } from "../../lib/retry.js";

/** In milliseconds. */
const INTERVAL = 5000;
/** Decisions of each autoscaler that are shown. */
const FEW = 5;

/** @param {Autoscaler} scaler */
function workersOf({ workers, rules }) {
  // Those whose heartbeats are missing have ended, or come back.
  const all = Object.values(workers).filter((worker) => !worker.lost);
  const starting = all.filter((worker) => !worker.is_seen).length;
  const draining = all.filter((worker) => worker.drained).length;
  const words = [plural(all.length, "worker"), `${count(rules.min)} to ${count(rules.max)} allowed`];
  if (starting > 0) words.push(`${count(starting)} starting`);
  if (draining > 0) words.push(`${count(draining)} draining`);
  return words.join(", ");
}

/** @param {Autoscaler} scaler */
function needOf({ scale }) {
  return scale ? `${count(scale.startable)} jobs could start on new workers, ${count(scale.running)} run` : "nobody counts its jobs now";
}

/**
 * @param {Autoscaler} scaler
 * @param {number} now
 */
function rowsOf(scaler, now) {
  const isOver = Date.parse(scaler.lease.until) < now;
  const title = h(
    "tr",
    { class: "scaler" },
    h("th", { scope: "rowgroup", colspan: 3 }, h("span", { class: "mono" }, scaler.name), ` on ${scaler.lease.host}: `, workersOf(scaler), ". ", isOver ? "It does not run any more." : needOf(scaler) + "."),
  );
  const decisions = [...scaler.decisions].reverse().slice(0, FEW);
  const row = (/** @type {Autoscaler["decisions"][number]} */ { at, action, reason }) =>
    h(
      "tr",
      {},
      h("td", {}, h("time", { datetime: at, title: time(at, now) }, ago(at, now))),
      h("td", { class: "mono" }, localTimes(action)),
      h("td", {}, localTimes(reason)),
    );
  return h("tbody", {}, title, ...decisions.map(row));
}

/**
 * The section; it is hidden while the farm has no autoscaler.
 * @param {Deps} deps
 */
export function scaling({ api, clock }) {
  const problem = problemLine();
  const table = h("table", { class: "sheet scaling" }, tableHead([["When"], ["Decision"], ["Reason"]]));
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "scaling-title", hidden: true },
    h("h2", { id: "scaling-title" }, "Scaling"),
    problem,
    scrolling("Decisions of autoscalers", table),
  );
  const loader = createLoader(
    () => api.get("/autoscalers"),
    (scalers) => {
      sayProblem(problem, null);
      element.hidden = scalers.length === 0;
      table.querySelectorAll("tbody").forEach((body) => body.remove());
      table.append(...scalers.map((scaler) => rowsOf(scaler, clock.now())));
    },
    ({ message }) => sayProblem(problem, message),
  );
  const stop = everySoOften(loader.load, INTERVAL);
  return {
    element,
    stop() {
      stop();
      loader.stop();
    },
  };
}
