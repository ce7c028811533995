// @ts-check
// The page's elements, before there is anything to show.

import { button, h, scrolling } from "../../lib/dom.js";

/**
 * @param {string} name
 * @param {[string, string][]} options
 */
const choice = (name, ...options) =>
  h("select", { name }, h("option", { value: "" }, "any"), ...options.map(([value, words]) => h("option", { value }, words)));

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
const search = (name, attributes) => h("input", { type: "search", name, autocomplete: "off", spellcheck: "false", ...attributes });

/**
 * @param {Element} cards the workers
 * @param {Element} scalers the autoscalers
 */
export function skeleton(cards, scalers) {
  const fields = {
    encoder: search("encoder", { placeholder: "hevc" }),
    bits: choice("bits", ["8", "8"], ["10", "10"], ["12", "12"]),
    largest: choice("largest", ["1920x1080", "up to 1080p"], ["3840x2160", "up to 4K"], ["7680x4320", "up to 8K"]),
    on: choice("on", ["hardware", "hardware"], ["software", "the CPU"]),
    also: search("also", { list: "extras", placeholder: "aac zscale mp4" }),
  };
  const extras = h("datalist", { id: "extras" });
  const matches = h("span", { class: "matches soft", role: "status" });
  const filters = h(
    "form",
    { class: "filters", role: "search", "aria-label": "Workers by what they can do" },
    h("label", {}, "Encoder or codec ", fields.encoder),
    h("label", {}, "Bit depth ", fields.bits),
    h("label", {}, "Picture size ", fields.largest),
    h("label", {}, "Runs on ", fields.on),
    h("label", {}, "Audio encoders, filters, containers ", fields.also),
    extras,
    button("Clear", { type: "reset" }),
    matches,
  );
  const head = h("thead");
  const body = h("tbody");
  const table = h("table", { class: "sheet matrix" }, head, body);
  const panel = h(
    "section",
    { class: "panel", "aria-labelledby": "matrix-title" },
    h("h2", { id: "matrix-title" }, "Encoder support"),
    filters,
    scrolling("Encoders by worker", table),
    h("p", { class: "hint" }, "Encoding speed in frames per second at 1280×720, measured by a test encode. “no”: the test encode failed."),
  );
  return { element: h("div", { class: "column" }, panel, scalers, cards), fields, extras, matches, filters, head, body, table };
}
