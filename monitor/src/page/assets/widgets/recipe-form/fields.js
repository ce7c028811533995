// @ts-check
// The fields of a recipe that stand for several of its parts, and which of them mean nothing beside the rest.

import { set } from "../../lib/dom.js";
import { field } from "../dialog.js";
import { choice, text } from "./controls.js";

export function recipeFields() {
  return {
    start: choice("start", ["", "…"]),
    with: choice("with"),
    else: choice("else", ["", "none"]),
    rate: choice(
      "rate",
      ["", "the encoder's default"],
      ["quality", "quality, 1 to 100"],
      ["crf", "the encoder's scale (CRF)"],
      ["bitrate", "bitrate"],
      ["size", "size of the file"],
      ["target", "measured quality"],
      ["lossless", "lossless"],
    ),
    amount: text("amount"),
    audio: choice("audio", ["copy", "keep"], ["none", "none"]),
    bitrate: text("bitrate", "128k"),
    subtitles: choice("subtitles", ["keep", "keep"], ["none", "none"]),
    container: choice("container", ["mkv", "mkv"]),
  };
}

/** @typedef {ReturnType<typeof recipeFields>} Fields */

/**
 * The fields with their labels.
 * @param {Fields} fields
 */
export const labelled = (fields) => [
  field("Start from a preset", fields.start),
  field("Encoder", fields.with),
  field("Fallback encoder", fields.else),
  field("Rate", fields.rate),
  field("Value", fields.amount),
  field("Audio", fields.audio),
  field("Audio bitrate", fields.bitrate),
  field("Subtitles", fields.subtitles),
  field("Container", fields.container),
];

/**
 * Whether video is encoded, and neither copied nor left out.
 * @param {Fields} fields
 */
export const encodes = (fields) => !["copy", "none"].includes(fields.with.value);

/**
 * Closes the fields that mean nothing beside the rest, and has the rate's value fit its kind.
 * @param {Fields} fields
 */
export function settleFields(fields) {
  const { amount } = fields;
  fields.rate.disabled = !encodes(fields);
  fields.else.disabled = fields.rate.disabled || fields.with.value.startsWith("any_");
  fields.bitrate.disabled = ["copy", "none"].includes(fields.audio.value);
  const kind = fields.rate.value;
  amount.disabled = fields.rate.disabled || ["", "lossless"].includes(kind);
  amount.required = !amount.disabled;
  const range = { quality: [1, 100], crf: [0, 255] }[kind];
  set(amount, "type", range ? "number" : "text");
  set(amount, "min", range?.[0]);
  set(amount, "max", range?.[1]);
  set(amount, "step", kind === "crf" ? "any" : null);
  set(amount, "placeholder", { bitrate: "4M, 2500k", size: "700M", target: "vmaf=95" }[kind] ?? "");
}
