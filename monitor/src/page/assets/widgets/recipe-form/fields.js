// @ts-check
// The fields of a recipe, and which of them mean nothing beside the rest.

import { h, set } from "../../lib/dom.js";
import { field } from "../dialog.js";

/** Fields that only an encode has. */
const ENCODING = /** @type {const} */ (["rate", "amount", "preset", "bit_depth", "hdr", "chroma", "scale", "scale_up", "filters", "arguments"]);

/**
 * @param {string} value
 * @param {string} words
 */
export const option = (value, words = value) => h("option", { value }, words);

/**
 * A group of options; none where it would be empty.
 * @param {string} label
 * @param {[string, string][]} options
 */
export const optionGroup = (label, options) =>
  options.length ? [h("optgroup", { label }, ...options.map(([value, words]) => option(value, words)))] : [];

/**
 * Chooses a value, which is offered from now on.
 * @param {HTMLSelectElement} select
 * @param {string} value
 */
export function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.append(option(value, value.split(",").join(", then ")));
  select.value = value;
}

/**
 * @param {string} name
 * @param {string} placeholder
 */
const text = (name, placeholder = "") => h("input", { name, placeholder, autocomplete: "off", spellcheck: "false" });

/**
 * @param {string} name
 * @param {[string, string][]} options
 */
const choice = (name, ...options) => h("select", { name }, ...options.map(([value, words]) => option(value, words)));

export function recipeFields() {
  return {
    start: choice("start", ["", "…"]),
    with: choice("with"),
    else: choice("else", ["", "none"]),
    rate: choice("rate", ["", "the encoder's default"], ["quality", "quality, 1 to 100"], ["crf", "the encoder's scale (CRF)"], ["bitrate", "bitrate"]),
    amount: text("amount"),
    preset: text("preset", "slow, p5, 8"),
    bit_depth: choice("bit_depth", ["", "as the source"], ["8", "8 bits"], ["10", "10 bits"]),
    hdr: choice("hdr", ["", "as the source"], ["sdr", "map HDR to SDR"]),
    chroma: choice("chroma", ["", "as the source"], ["420", "4:2:0"]),
    scale: text("scale", "720p, 1280x-2"),
    scale_up: choice("scale_up", ["", "never"], ["true", "if need be"]),
    filters: text("filters", "hqdn3d,crop=1280:536"),
    arguments: text("arguments", "g=240 tune=grain"),
    audio: choice("audio", ["copy", "keep"], ["none", "none"]),
    bitrate: text("bitrate", "128k"),
    subtitles: choice("subtitles", ["keep", "keep"], ["none", "none"]),
    captions: choice("captions", ["keep", "keep inside the video"], ["srt", "also as a subtitle track"]),
    strict_input: choice("strict_input", ["", "encode what can be read"], ["true", "refuse"]),
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
  field("Encoder preset", fields.preset),
  field("Bit depth", fields.bit_depth),
  field("Dynamic range", fields.hdr),
  field("Chroma subsampling", fields.chroma),
  field("Size", fields.scale, "At most: smaller sources keep their size"),
  field("Enlarge smaller sources", fields.scale_up),
  field("Filters", fields.filters),
  field("More arguments", fields.arguments),
  field("Audio", fields.audio),
  field("Audio bitrate", fields.bitrate),
  field("Subtitles", fields.subtitles),
  field("Closed captions", fields.captions),
  field("Damaged inputs", fields.strict_input),
  field("Container", fields.container),
];

/**
 * Closes the fields that mean nothing beside the rest, and has the rate's value fit its kind.
 * @param {Fields} fields
 */
export function settleFields(fields) {
  const isCopy = fields.with.value === "copy";
  for (const name of ENCODING) fields[name].disabled = isCopy;
  fields.scale_up.disabled ||= fields.scale.value.trim() === "";
  fields.else.disabled = isCopy || fields.with.value.startsWith("any_");
  fields.bitrate.disabled = ["copy", "none"].includes(fields.audio.value);
  const kind = fields.rate.value;
  const { amount } = fields;
  amount.disabled ||= kind === "";
  amount.required = !amount.disabled;
  const range = { quality: [1, 100], crf: [0, 255] }[kind];
  set(amount, "type", range ? "number" : "text");
  set(amount, "min", range?.[0]);
  set(amount, "max", range?.[1]);
  set(amount, "step", kind === "crf" ? "any" : null);
  set(amount, "placeholder", kind === "bitrate" ? "4M, 2500k" : "");
}
