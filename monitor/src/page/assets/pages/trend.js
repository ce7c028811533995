// The last day at a glance, on the overview.

import { get } from "../api.js";
import { bytes, plural, time } from "../format.js";
import { bars } from "./chart.js";

const panel = document.getElementById("trend");
const charts = panel.querySelector(".charts");
/** Half an hour is one bar: more often is of no use. */
const EVERY = 30_000;

async function ask() {
  let day;
  try {
    day = await get("history?hours=24");
  } catch {
    // What is shown stays; the line at the top says what is wrong.
    return;
  }
  const start = Date.parse(day.since);
  const chart = (title, value, words) =>
    bars(title, day.curve.map((sum, nth) => {
      const from = new Date(start + nth * day.step * 1000).toISOString();
      return { value: value(sum), words: `${time(from, Date.now())}: ${words(value(sum))}` };
    }));
  panel.hidden = day.curve.every((sum) => sum.completed === 0);
  charts.replaceChildren(
    chart("Jobs completed in the last day", (sum) => sum.completed, (value) => plural(value, "job")),
    chart("Bytes saved in the last day", (sum) => Math.max(0, sum.input_bytes - sum.output_bytes), bytes),
  );
}

/** The overview is shown. */
export function trend() {
  ask();
  const timer = setInterval(() => document.hidden || ask(), EVERY);
  return () => clearInterval(timer);
}
