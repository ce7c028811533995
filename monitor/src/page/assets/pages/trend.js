// The last day at a glance, on the overview.

import { bytes, plural, time } from "../format.js";
import { lastDay } from "../past.js";
import { bars } from "./chart.js";

const panel = document.getElementById("trend");
const charts = panel.querySelector(".charts");

function draw({ since, step, curve }) {
  const start = Date.parse(since);
  const chart = (title, value, words) =>
    bars(title, curve.map((sum, nth) => {
      const from = new Date(start + nth * step * 1000).toISOString();
      return { value: value(sum), words: `${time(from, Date.now())}: ${words(value(sum))}` };
    }));
  panel.hidden = curve.every((sum) => sum.completed === 0);
  charts.replaceChildren(
    chart("Jobs completed in the last day", (sum) => sum.completed, (value) => plural(value, "job")),
    chart("Bytes saved in the last day", (sum) => Math.max(0, sum.input_bytes - sum.output_bytes), bytes),
  );
}

/** The overview is shown. */
export const trend = () => lastDay(draw);
