// @ts-check
// The last day at a glance.

/** @import { History, Sum } from "#types" */

import { h } from "../../lib/dom.js";
import { bytes, plural, time } from "../../lib/format.js";
import { barChart } from "../../widgets/charts/bar-chart.js";

export function trend() {
  const charts = h("div", { class: "charts" });
  const element = h(
    "section",
    { class: "panel", id: "trend", "aria-labelledby": "trend-title", hidden: true },
    h("h2", { class: "unseen", id: "trend-title" }, "The last day"),
    charts,
  );
  return {
    element,
    /** @param {History} day */
    update({ since, step, curve }) {
      const start = Date.parse(since);
      /**
       * @param {string} title
       * @param {(sum: Sum) => number} value
       * @param {(value: number) => string} words
       */
      const chart = (title, value, words) =>
        barChart(
          title,
          curve.map((sum, nth) => {
            const from = new Date(start + nth * step * 1000).toISOString();
            return { value: value(sum), words: `${time(from, Date.now())}: ${words(value(sum))}` };
          }),
        );
      element.hidden = curve.every((sum) => sum.completed === 0);
      charts.replaceChildren(
        chart("Jobs completed in the last day", (sum) => sum.completed, (value) => plural(value, "job")),
        chart("Bytes saved in the last day", (sum) => Math.max(0, sum.input_bytes - sum.output_bytes), bytes),
      );
    },
  };
}
