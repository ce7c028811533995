// What the farm has done: curves, sums and failures.

import { get } from "../api.js";
import { h, say, set } from "../dom.js";
import { ago, bytes, change, count, duration, fps, plural, time, told } from "../format.js";
import { each, pace } from "../past.js";
import { refine } from "../router.js";
import { bars } from "./chart.js";
import { lines } from "./lines.js";

const page = document.querySelector('[data-page="history"]');
const charts = page.querySelector(".charts");
const workers = page.querySelector(".by-worker tbody");
const failures = page.querySelector(".failures");
const span = page.querySelector("select");
const csv = page.querySelector("a.button");
const problem = page.querySelector(".problem");
const overTime = page.querySelector(".over-time");
const fpsLines = lines("Encoding speed", fps);
const timeLines = lines("Time per job", duration);
overTime.querySelector(".charts").append(fpsLines.element, timeLines.element);

/** Draws one line of each of the pairs that has a value. */
function drawLines(chart, pairs, valuesOf, whens) {
  const series = pairs.map((pair) => ({ name: `${pair.worker} · ${pair.encoder}`, values: valuesOf(pair) }));
  const known = series.filter(({ values }) => values.some((value) => value !== null));
  chart.element.hidden = known.length === 0;
  if (known.length) chart.update(known, whens);
}

function draw({ since, step, curve, pairs, by_worker, failures: reasons, ratios }) {
  const start = Date.parse(since);
  const when = (nth) => time(new Date(start + nth * step * 1000).toISOString(), Date.now());
  const chart = (title, values, words) =>
    bars(title, values.map((value, nth) => ({ value, words: `${when(nth)}: ${words(value, nth)}` })));
  charts.replaceChildren(
    chart("Jobs completed", curve.map((sum) => sum.completed), (value) => plural(value, "job")),
    chart("Bytes saved", curve.map((sum) => Math.max(0, sum.input_bytes - sum.output_bytes)), bytes),
    chart("Encoding speed", curve.map(pace), fps),
    chart("Jobs failed", curve.map((sum) => sum.failed), (value) => plural(value, "job")),
    bars("Output size vs input", ratios.map((value, nth) => ({
      value,
      words: `${nth < 10 ? `${nth * 10}–${nth * 10 + 10}%` : "larger than the input"}: ${plural(value, "job")}`,
    }))),
  );
  overTime.hidden = pairs.length === 0;
  const whens = curve.map((_, nth) => when(nth));
  drawLines(fpsLines, pairs, (pair) => pair.fps, whens);
  drawLines(timeLines, pairs, (pair) => pair.seconds, whens);
  const fastest = Math.max(1, ...by_worker.map(({ sum }) => pace(sum)));
  workers.replaceChildren(
    ...by_worker.map(({ worker, encoder, sum }) => {
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, worker),
        h("td", { class: "mono" }, encoder),
        h("td", { class: "number" }, count(sum.completed)),
        h("td", { class: "number" }, sum.frames ? fps(pace(sum)) : "", h("meter", { min: 0, max: 1, value: pace(sum) / fastest, "aria-label": "beside the fastest" })),
        h("td", { class: "number" }, duration(each(sum))),
        h("td", { class: "number" }, change(sum.input_bytes, sum.output_bytes)),
      );
    }),
  );
  page.querySelector(".by-worker").hidden = by_worker.length === 0;
  page.querySelector(".empty").hidden = by_worker.length > 0;
  failures.replaceChildren(
    ...reasons.map((row) =>
      h("li", {}, h("span", { class: "number" }, `${count(row.jobs)}×`), h("span", { class: "reason" }, told(row.reason)), h("span", { class: "soft" }, `${row.fault} · latest ${ago(row.latest, Date.now())}`)),
    ),
  );
  failures.parentElement.hidden = reasons.length === 0;
}

async function ask() {
  set(csv, "href", `/api/v1/history.csv?hours=${span.value}`);
  try {
    draw(await get(`history?hours=${span.value}`));
    problem.hidden = true;
  } catch (refusal) {
    problem.hidden = false;
    say(problem, refusal.message);
  }
}

span.addEventListener("change", () => {
  refine("history", { hours: span.value });
  ask();
});

/** The page is shown. */
export function history({ query }) {
  const hours = query.get("hours");
  if ([...span.options].some((option) => option.value === hours)) span.value = hours;
  ask();
  const timer = setInterval(() => document.hidden || ask(), 10_000);
  return () => clearInterval(timer);
}
