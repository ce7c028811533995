// @ts-check
// What a worker did in the last day, on its card.

/** @import { History, Sum } from "#types" */

import { h, scrolling, tableHead } from "../../lib/dom.js";
import { count, duration, fps, plural, speed } from "../../lib/format.js";
import { encodeFps, encodeSpeed, secondsPerJob } from "../../lib/last-day.js";

/** @param {{ encoder: string, sum: Sum }} row */
function row({ encoder, sum }) {
  return h(
    "tr",
    {},
    h("th", { scope: "row", class: "mono" }, encoder),
    h("td", { class: "number" }, count(sum.completed)),
    h("td", { class: "number" }, sum.frames ? fps(encodeFps(sum)) : "–"),
    h("td", { class: "number" }, sum.encode_seconds ? speed(encodeSpeed(sum)) : "–"),
    h("td", { class: "number" }, duration(secondsPerJob(sum))),
  );
}

/**
 * Empty until the last day is known.
 * @param {string} name of the worker
 */
export function workerLastDay(name) {
  const element = h("div", { class: "past" });
  /** @type {History | null} */
  let shown = null;
  return {
    element,
    /** @param {History | null} day */
    update(day) {
      if (day === shown || !day) return;
      shown = day;
      const tally = day.workers.find(({ worker }) => worker === name);
      const words = tally ? `${plural(tally.completed, "job")} completed, ${count(tally.failed)} failed` : "no job ended here";
      const sums = day.by_worker.filter(({ worker }) => worker === name);
      const head = tableHead([["Encoder"], ["Jobs", "number"], ["Frame rate", "number"], ["Speed", "number"], ["Time per job", "number"]]);
      const table = h("table", { class: "card" }, head, h("tbody", {}, ...sums.map(row)));
      element.replaceChildren(
        h("p", { class: "host" }, `In the last day: ${words}`),
        ...(sums.length ? [scrolling(`Jobs of ${name} in the last day`, table)] : []),
      );
    },
  };
}
