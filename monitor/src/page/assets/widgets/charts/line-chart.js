// @ts-check
// Several lines over time, told apart by colour and dashes, with a legend and the same as a table.

import { h, say, scrolling } from "../../lib/dom.js";
import { drawing, stretch, svg } from "./svg.js";

const WIDTH = 480;
const HEIGHT = 160;
/** Room above the highest and below the lowest value. */
const EDGE = 6;

/** @typedef {{ name: string, values: (number | null)[] }} Series a value or `null` for each moment */

/**
 * A line through the values that there are; a dot for each of them.
 * @param {(number | null)[]} values
 * @param {number} most
 * @param {number} nth
 */
function line(values, most, nth) {
  const step = WIDTH / values.length;
  const points = values.flatMap((value, at) => {
    if (value === null) return [];
    const x = (at + 0.5) * step;
    const y = HEIGHT - EDGE - (value / most) * (HEIGHT - 2 * EDGE);
    return [`${x.toFixed(1)} ${y.toFixed(1)}`];
  });
  return [
    svg("path", { class: "trace", "data-nth": nth, d: `M${points.join("L")}` }),
    svg("path", { class: "dots", "data-nth": nth, d: points.map((point) => `M${point}h0`).join("") }),
  ];
}

/**
 * How a line looks, beside its name.
 * @param {number} nth
 */
function sample(nth) {
  const picture = svg("svg", { viewBox: "0 0 40 10", class: "sample", "aria-hidden": "true" });
  picture.append(svg("path", { class: "trace", "data-nth": nth, d: "M0 5H40" }), svg("path", { class: "dots", "data-nth": nth, d: "M20 5h0" }));
  return picture;
}

/** @param {number | null | undefined} value */
const isKnown = (value) => value !== null && value !== undefined;

/**
 * A chart under a title.
 * @param {string} title
 * @param {(value: number) => string} words says one of its values
 */
export function lineChart(title, words) {
  const range = h("span", { class: "soft" });
  const frame = h("div", { class: "frame" });
  const legend = h("ul", { class: "legend", "aria-label": `${title}: latest` });
  const head = h("tr");
  const body = h("tbody");
  const table = h("table", { class: "sheet" }, h("thead", {}, head), body);
  const element = h(
    "figure",
    { class: "chart lines" },
    h("figcaption", {}, title, range),
    frame,
    legend,
    h("details", {}, h("summary", {}, "The same as a table"), scrolling(title, table)),
  );
  let shown = "";

  /**
   * @param {Series[]} series
   * @param {string[]} moments
   * @param {number} most
   */
  function picture(series, moments, most) {
    const drawn = drawing(WIDTH, HEIGHT);
    const step = WIDTH / moments.length;
    moments.forEach((moment, at) => {
      const said = series.flatMap(({ name, values: { [at]: value } }) => (isKnown(value) ? [`${name}: ${words(Number(value))}`] : []));
      drawn.append(stretch(at * step, step, HEIGHT, [moment, ...said].join("\n")));
    });
    series.forEach(({ values }, nth) => drawn.append(...line(values, most, nth)));
    return drawn;
  }

  /**
   * @param {Series[]} series
   * @param {string[]} moments
   */
  const rows = (series, moments) =>
    moments.flatMap((moment, at) => {
      const values = series.map(({ values }) => values[at]);
      if (!values.some(isKnown)) return [];
      const cells = values.map((value) => h("td", { class: "number" }, isKnown(value) ? words(Number(value)) : "–"));
      return [h("tr", {}, h("th", { scope: "row" }, moment), ...cells)];
    });

  return {
    element,
    /**
     * Draws these, one line each.
     * @param {Series[]} series
     * @param {string[]} moments
     */
    update(series, moments) {
      // Whoever reads the table is not disturbed where nothing is new.
      const next = JSON.stringify([series, moments]);
      if (next === shown) return;
      shown = next;
      const most = Math.max(...series.flatMap(({ values }) => values.map(Number)));
      say(range, `0 to ${words(most)}`);
      frame.replaceChildren(picture(series, moments, most || 1));
      legend.replaceChildren(
        ...series.map(({ name, values }, nth) =>
          h("li", {}, sample(nth), h("span", {}, name), h("span", { class: "soft" }, words(Number(values.findLast(isKnown))))),
        ),
      );
      head.replaceChildren(h("th", { scope: "col" }, "From"), ...series.map(({ name }) => h("th", { scope: "col", class: "number" }, name)));
      body.replaceChildren(...rows(series, moments));
    },
  };
}

/** @typedef {ReturnType<typeof lineChart>} LineChart */
