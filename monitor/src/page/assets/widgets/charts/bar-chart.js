// @ts-check
// A bar chart that a screen reader can read as well.

import { h } from "../../lib/dom.js";
import { drawing, stretch, svg } from "./svg.js";

const WIDTH = 480;
const HEIGHT = 96;

/**
 * The chart as an element; the words are said of each bar.
 * @param {string} title
 * @param {{ value: number, words: string }[]} points
 */
export function barChart(title, points) {
  const most = Math.max(...points.map(({ value }) => value));
  const step = WIDTH / points.length;
  const picture = drawing(WIDTH, HEIGHT);
  points.forEach(({ value, words }, nth) => {
    const height = most ? Math.max(value ? 2 : 0, (value / most) * (HEIGHT - 4)) : 0;
    const bar = svg("rect", { x: nth * step + step * 0.1, y: HEIGHT - height, width: step * 0.8, height, rx: 1.5 });
    picture.append(bar, stretch(nth * step, step, HEIGHT, words));
  });
  const peak = points.find(({ value }) => value === most && most > 0);
  const read = points.filter(({ value }) => value > 0).map(({ words }) => h("li", {}, words));
  return h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, title, h("span", { class: "soft" }, peak ? `Peak ${peak.words}` : "Nothing yet")),
    picture,
    h("ul", { class: "unseen", "aria-label": title }, ...read),
  );
}
