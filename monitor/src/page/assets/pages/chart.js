// Charts that a screen reader can read as well: bars, and what lines are drawn with.

import { h } from "../dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 480;
const HEIGHT = 96;

/** An element of a drawing. */
export function draw(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** A stretch of a chart that says its words when it is pointed at. */
export function stretch(x, width, height, words) {
  const whole = draw("rect", { x, y: 0, width, height, class: "whole" });
  const label = draw("title", {});
  label.textContent = words;
  whole.append(label);
  return whole;
}

/** `points` are `{ value, words }`; the words are said of each bar. */
export function bars(title, points) {
  const most = Math.max(...points.map(({ value }) => value));
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const step = WIDTH / points.length;
  points.forEach(({ value, words }, nth) => {
    const height = most ? Math.max(value ? 2 : 0, (value / most) * (HEIGHT - 4)) : 0;
    const bar = draw("rect", { x: nth * step + step * 0.1, y: HEIGHT - height, width: step * 0.8, height, rx: 1.5 });
    svg.append(bar, stretch(nth * step, step, HEIGHT, words));
  });
  const peak = points.find(({ value }) => value === most && most > 0);
  const told = points.filter(({ value }) => value > 0).map(({ words }) => h("li", {}, words));
  return h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, title, h("span", { class: "soft" }, peak ? `peak ${peak.words}` : "nothing yet")),
    svg,
    h("ul", { class: "unseen", "aria-label": title }, ...told),
  );
}
