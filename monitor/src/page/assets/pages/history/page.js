// @ts-check
// What the farm has done: curves, sums and failures.

/** @import { History, Mount } from "#types" */
/** @import { LineChart } from "../../widgets/charts/line-chart.js" */

import { requestAddress } from "../../lib/api.js";
import { h, sayProblem, set } from "../../lib/dom.js";
import { ago, bytes, capitalised, change, count, duration, fps, localTimes, plural, time } from "../../lib/format.js";
import { encodeFps, secondsPerJob } from "../../lib/last-day.js";
import { createLoader, everySoOften } from "../../lib/retry.js";
import { refine } from "../../lib/router.js";
import { barChart } from "../../widgets/charts/bar-chart.js";
import { lineChart } from "../../widgets/charts/line-chart.js";
import { skeleton } from "./skeleton.js";

/** In milliseconds. */
const INTERVAL = 10_000;

/** @typedef {(nth: number) => string} When says when the nth stretch of time begins */

/**
 * @param {History} history
 * @param {When} when
 */
function barCharts({ curve, ratios }, when) {
  /**
   * @param {string} title
   * @param {number[]} values
   * @param {(value: number) => string} words
   */
  const chart = (title, values, words) => barChart(title, values.map((value, nth) => ({ value, words: `${when(nth)}: ${words(value)}` })));
  /** @param {number} value */
  const jobs = (value) => plural(value, "job");
  const sizes = ratios.map((value, nth) => ({
    value,
    words: `${nth < 10 ? `${nth * 10}–${nth * 10 + 10}%` : "larger than the input"}: ${jobs(value)}`,
  }));
  return [
    chart("Jobs completed", curve.map((sum) => sum.completed), jobs),
    chart("Bytes saved", curve.map((sum) => Math.max(0, sum.input_bytes - sum.output_bytes)), bytes),
    chart("Encoding speed", curve.map(encodeFps), fps),
    chart("Jobs failed", curve.map((sum) => sum.failed), jobs),
    barChart("Output size vs input", sizes),
  ];
}

/** @param {History} history */
function workerRows({ by_worker: sums }) {
  const fastest = Math.max(1, ...sums.map(({ sum }) => encodeFps(sum)));
  return sums.map(({ worker, encoder, sum }) => {
    const meter = h("meter", { min: 0, max: 1, value: encodeFps(sum) / fastest, "aria-label": "Compared with the fastest" });
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, worker),
      h("td", { class: "mono" }, encoder),
      h("td", { class: "number" }, count(sum.completed)),
      h("td", { class: "number" }, sum.frames ? fps(encodeFps(sum)) : "", meter),
      h("td", { class: "number" }, duration(secondsPerJob(sum))),
      h("td", { class: "number" }, change(sum.input_bytes, sum.output_bytes)),
    );
  });
}

/** @param {History} history */
const failureRows = ({ failures }) =>
  failures.map((row) =>
    h(
      "li",
      {},
      h("span", { class: "number" }, `${count(row.jobs)}×`),
      h("span", { class: "reason" }, capitalised(localTimes(row.reason))),
      h("span", { class: "soft" }, `${row.fault} · latest ${ago(row.latest, Date.now())}`),
    ),
  );

/** @type {Mount} */
export function mount(element, { api }) {
  const parts = skeleton();
  element.append(parts.element);
  const fpsLines = lineChart("Encoding speed", fps);
  const timeLines = lineChart("Time per job", duration);
  parts.lines.append(fpsLines.element, timeLines.element);

  /**
   * Draws one line for each pair that has a value.
   * @param {LineChart} chart
   * @param {History["pairs"]} pairs
   * @param {(pair: History["pairs"][number]) => (number | null)[]} valuesOf
   * @param {string[]} moments
   */
  function drawLines(chart, pairs, valuesOf, moments) {
    const series = pairs
      .map((pair) => ({ name: `${pair.worker} · ${pair.encoder}`, values: valuesOf(pair) }))
      .filter(({ values }) => values.some((value) => value !== null));
    chart.element.hidden = series.length === 0;
    if (series.length) chart.update(series, moments);
  }

  /** @param {History} history */
  function draw(history) {
    const { since, step, curve, pairs, by_worker: sums, failures } = history;
    const start = Date.parse(since);
    /** @type {When} */
    const when = (nth) => time(new Date(start + nth * step * 1000).toISOString(), Date.now());
    const moments = curve.map((_, nth) => when(nth));
    parts.charts.replaceChildren(...barCharts(history, when));
    parts.overTime.hidden = pairs.length === 0;
    drawLines(fpsLines, pairs, (pair) => pair.fps, moments);
    drawLines(timeLines, pairs, (pair) => pair.seconds, moments);
    parts.workers.replaceChildren(...workerRows(history));
    parts.table.hidden = sums.length === 0;
    parts.empty.hidden = sums.length > 0;
    parts.failures.replaceChildren(...failureRows(history));
    parts.failureSection.hidden = failures.length === 0;
  }

  const loader = createLoader(
    async () => {
      const hours = parts.span.value;
      return { hours, history: await api.get("/history", { hours }) };
    },
    ({ hours, history }) => {
      sayProblem(parts.problem, null);
      if (hours === parts.span.value) draw(history);
    },
    ({ message }) => sayProblem(parts.problem, message),
  );

  function load() {
    set(parts.csv, "href", requestAddress("/history.csv", { hours: parts.span.value }));
    loader.load();
  }

  parts.span.addEventListener("change", () => {
    refine("history", { hours: parts.span.value });
    load();
  });
  const stop = everySoOften(load, INTERVAL);

  return {
    show({ query }) {
      const hours = query.get("hours");
      if (hours === null || ![...parts.span.options].some((option) => option.value === hours)) return;
      parts.span.value = hours;
      load();
    },
    unmount() {
      stop();
      loader.stop();
    },
  };
}
