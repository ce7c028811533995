// @ts-check
// Whether films are encoded in parts, by several workers at once.

/** @import { SplitChoice } from "#types" */

import { h } from "../../lib/dom.js";
import { field } from "../dialog.js";

/** Seconds of a chunk, where a person has not said another length. */
const LENGTH = 30;

export function splitField() {
  const choice = h("select", { name: "split" }, h("option", { value: "auto" }, "If it pays"), h("option", { value: "every" }, "In chunks of the same length"), h("option", { value: "off" }, "Never"));
  const length = h("input", { type: "number", name: "chunk", min: 1, max: 86400, value: LENGTH, required: true, disabled: true });
  const lengthField = field("Length of a chunk, seconds", length);
  lengthField.hidden = true;

  function settled() {
    length.disabled = choice.value !== "every";
    lengthField.hidden = length.disabled;
  }
  choice.addEventListener("change", settled);

  return {
    elements: [field("Encode one film on several workers", choice), lengthField],
    /** @returns {SplitChoice} */
    value: () => (choice.value === "every" ? { every: Number(length.value) } : choice.value === "off" ? "off" : "auto"),
    /** @param {SplitChoice} split */
    fill(split) {
      choice.value = typeof split === "object" ? "every" : split;
      if (typeof split === "object") length.value = String(split.every);
      settled();
    },
  };
}
