// Several lines over time, told apart by colour and dashes, with a legend and
// the same as a table.

import { h, say } from "../dom.js";
import { draw, stretch } from "./chart.js";

const WIDTH = 480;
const HEIGHT = 160;
/** Room above the highest and below the lowest value. */
const EDGE = 6;

/** A line through the values that there are; a dot for each of them. */
function line(values, most, nth) {
  const step = WIDTH / values.length;
  const points = values
    .map((value, at) => value === null ? null : [(at + 0.5) * step, HEIGHT - EDGE - (value / most) * (HEIGHT - 2 * EDGE)])
    .filter((point) => point !== null)
    .map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`);
  return [
    draw("path", { class: "trace", "data-nth": nth, d: `M${points.join("L")}` }),
    draw("path", { class: "dots", "data-nth": nth, d: points.map((point) => `M${point}h0`).join("") }),
  ];
}

/** How a line looks, beside its name. */
function sample(nth) {
  const svg = draw("svg", { viewBox: "0 0 40 10", class: "sample", "aria-hidden": "true" });
  svg.append(draw("path", { class: "trace", "data-nth": nth, d: "M0 5H40" }), draw("path", { class: "dots", "data-nth": nth, d: "M20 5h0" }));
  return svg;
}

function picture(series, whens, most, words) {
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const step = WIDTH / whens.length;
  whens.forEach((when, at) => {
    const said = series.filter(({ values }) => values[at] !== null).map(({ name, values }) => `${name}: ${words(values[at])}`);
    svg.append(stretch(at * step, step, HEIGHT, [when, ...said].join("\n")));
  });
  series.forEach(({ values }, nth) => svg.append(...line(values, most, nth)));
  return svg;
}

function rows(series, whens, words) {
  const value = (number) => h("td", { class: "number" }, number === null ? "–" : words(number));
  return whens.flatMap((when, at) =>
    series.some(({ values }) => values[at] !== null)
      ? [h("tr", {}, h("th", { scope: "row" }, when), ...series.map(({ values }) => value(values[at])))]
      : [],
  );
}

/**
 * A chart under a title; `words` says one of its values. `update(series,
 * whens)` draws it: `series` are `{ name, values }`, a value or `null` for each
 * of the moments that `whens` names.
 */
export function lines(title, words) {
  const range = h("span", { class: "soft" });
  const frame = h("div", { class: "frame" });
  const legend = h("ul", { class: "legend", "aria-label": `${title}: latest` });
  const head = h("tr", {});
  const body = h("tbody", {});
  const table = h("table", { class: "sheet" }, h("thead", {}, head), body);
  const element = h(
    "figure",
    { class: "chart lines" },
    h("figcaption", {}, title, range),
    frame,
    legend,
    h("details", {}, h("summary", {}, "The same as a table"), h("div", { class: "scroll", role: "region", "aria-label": title, tabindex: 0 }, table)),
  );
  let shown = "";
  return {
    element,
    update(series, whens) {
      // Whoever reads the table is not disturbed where nothing is new.
      const next = JSON.stringify([series, whens]);
      if (next === shown) return;
      shown = next;
      const most = Math.max(...series.flatMap(({ values }) => values));
      say(range, `0 to ${words(most)}`);
      frame.replaceChildren(picture(series, whens, most || 1, words));
      legend.replaceChildren(
        ...series.map(({ name, values }, nth) =>
          h("li", {}, sample(nth), h("span", {}, name), h("span", { class: "soft" }, words(values.findLast((value) => value !== null)))),
        ),
      );
      head.replaceChildren(h("th", { scope: "col" }, "From"), ...series.map(({ name }) => h("th", { scope: "col", class: "number" }, name)));
      body.replaceChildren(...rows(series, whens, words));
    },
  };
}
