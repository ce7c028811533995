// @ts-check
// What charts are drawn with.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element of a drawing.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/**
 * A drawing that fills its room, which assistive technology gets in words instead.
 * @param {number} width
 * @param {number} height
 */
export const drawing = (width, height) =>
  svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });

/**
 * A stretch of a chart that says its words when it is pointed at.
 * @param {number} x
 * @param {number} width
 * @param {number} height
 * @param {string} words
 */
export function stretch(x, width, height, words) {
  const whole = svg("rect", { x, y: 0, width, height, class: "whole" });
  const label = svg("title");
  label.textContent = words;
  whole.append(label);
  return whole;
}
