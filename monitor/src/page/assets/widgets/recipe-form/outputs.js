// @ts-check
// The fields of what one source becomes: one output or a rendition of each size, and their names.

/** @import { Outputs } from "#types" */

import { text } from "./controls.js";

export function outputFields() {
  const renditions = text("renditions", "1080p, 720p:3M");
  const template = text("template", "{stem}-{height}p");
  return {
    renditions,
    template,
    /** The fields as a group of the form shows them. */
    rows: [
      { label: "Renditions", control: renditions, hint: "One output of each size; with bits per second: 720p:3M" },
      { label: "Names", control: template, hint: "Without extension; also {width}, {codec}, {encoder}, {quality}, {bitrate}, {container}, {preset}" },
    ],
    /** @param {Partial<Outputs>} outputs */
    fill({ name = null, renditions: sizes = [] }) {
      renditions.value = sizes.join(" ");
      template.value = name ?? "";
      const group = renditions.closest("details");
      if (group && (renditions.value || template.value)) group.open = true;
    },
    /** @returns {Outputs} */
    value: () => ({
      name: template.value.trim() || null,
      renditions: renditions.value.split(/[\s,]+/).filter(Boolean),
    }),
  };
}
