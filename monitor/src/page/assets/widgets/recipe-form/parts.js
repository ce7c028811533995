// @ts-check
// Fields that hold one part of a recipe each, as the recipe writes that part: a text, a number, yes or no, or a list.

/** @import { Recipe } from "#types" */

import { h } from "../../lib/dom.js";
import { field } from "../dialog.js";
import { choice, choose, text } from "./controls.js";

/**
 * @typedef {object} Part
 * @property {string[]} path where the recipe has the part
 * @property {"text" | "number" | "flag" | "list"} form
 * @property {HTMLInputElement | HTMLSelectElement} control an empty control leaves the part out
 * @property {string} label
 * @property {string} hint
 * @property {HTMLInputElement | HTMLSelectElement | null} needs a control without which the part means nothing
 * @property {boolean} isKey whether the table that holds the part means nothing without it
 */

/**
 * @param {string} path
 * @param {string} label
 * @param {HTMLInputElement | HTMLSelectElement} control
 * @param {Partial<Part>} more
 * @returns {Part}
 */
const part = (path, label, control, more = {}) => ({ path: path.split("."), form: "text", control, label, hint: "", needs: null, isKey: false, ...more });

/**
 * @param {string} name
 * @param {number} min
 * @param {number} max
 */
const number = (name, min, max) => h("input", { name, type: "number", min, max, step: 1 });

/** @param {string} name */
const yes = (name) => choice(name, ["", "no"], ["true", "yes"]);

/**
 * A choice among names; nothing chosen means `otherwise`.
 * @param {string} name
 * @param {string} otherwise
 * @param {string[]} names
 */
const among = (name, otherwise, ...names) => choice(name, ["", otherwise], ...names.map((name) => /** @type {[string, string]} */ ([name, name.replaceAll("_", " ")])));

const STRENGTHS = ["ultralight", "light", "medium", "strong"];

/** The parts of a recipe by group, and the name of each group. */
export function recipeParts() {
  const encode = "video.encode";
  const watermark = text("watermark", "/media/logo.png");
  const scale = text("scale", "720p, 1280x-2");
  /** @type {[string, Part[]][]} */
  const groups = [
    [
      "Rate and speed",
      [
        part(`${encode}.speed`, "Speed", among("speed", "the encoder's default", "slowest", "slower", "slow", "medium", "fast", "faster", "fastest")),
        part(`${encode}.preset`, "Encoder preset", text("preset", "slow, p5, 8"), { hint: "The encoder's own; it goes before the speed" }),
        part(`${encode}.max_bitrate`, "Maximum bitrate", text("max_bitrate", "8M")),
        part(`${encode}.two_pass`, "Two passes", yes("two_pass"), { form: "flag", hint: "With a bitrate or a size" }),
        part(`${encode}.floor`, "Least measured quality", text("floor", "vmaf=90"), { hint: "An output below fails" }),
      ],
    ],
    [
      "Picture",
      [
        part(`${encode}.crop`, "Crop", text("crop", "auto, loose, 140:140:0:0"), { hint: "Top, bottom, left, right" }),
        part(`${encode}.deinterlace`, "Deinterlace", among("deinterlace", "never", "auto", "always"), { hint: "Auto: only if combed" }),
        part(`${encode}.detelecine`, "Detelecine", yes("detelecine"), { form: "flag" }),
        part(`${encode}.denoise`, "Denoise", among("denoise", "no", ...STRENGTHS, ...STRENGTHS.map((strength) => `nlmeans:${strength}`))),
        part(`${encode}.sharpen`, "Sharpen", among("sharpen", "no", ...STRENGTHS)),
        part(`${encode}.deband`, "Deband", yes("deband"), { form: "flag" }),
        part(`${encode}.rotate`, "Rotate", among("rotate", "no", "90", "180", "270", "hflip", "vflip")),
        part(`${encode}.frame_rate`, "Frame rate", text("frame_rate", "25, peak:30, half")),
        part(`${encode}.scale`, "Size", scale, { hint: "At most: smaller sources keep their size" }),
        part(`${encode}.scale_up`, "Enlarge smaller sources", choice("scale_up", ["", "never"], ["true", "if need be"]), { form: "flag", needs: scale }),
        part(`${encode}.pad`, "Canvas", text("pad", "1920x1080, 16:9")),
        part(`${encode}.bit_depth`, "Bit depth", choice("bit_depth", ["", "as the source"], ["8", "8 bits"], ["10", "10 bits"]), { form: "number" }),
        part(`${encode}.hdr`, "Dynamic range", choice("hdr", ["", "as the source"], ["sdr", "map HDR to SDR"], ["refuse", "refuse HDR"])),
        part(`${encode}.tone_map`, "Tone map", among("tone_map", "hable", "bt2390", "mobius", "reinhard")),
        part(`${encode}.chroma`, "Chroma subsampling", choice("chroma", ["", "as the source"], ["420", "4:2:0"])),
        part(`${encode}.lut`, "Colour table", text("lut", "/media/look.cube"), { hint: "Where workers can read it" }),
        part(`${encode}.watermark.picture`, "Watermark", watermark, { isKey: true, hint: "A picture, where workers can read it" }),
        part(`${encode}.watermark.place`, "Place of the watermark", among("place", "bottom-right", "top-left", "top-right", "bottom-left", "center"), { needs: watermark }),
        part(`${encode}.filters`, "Filters", text("filters", "hqdn3d,crop=1280:536")),
        part(`${encode}.arguments`, "More arguments", text("arguments", "g=240 tune=grain"), { form: "list" }),
      ],
    ],
    [
      "Audio tracks",
      [
        part("audio_tracks.languages", "Languages", text("audio_language", "eng deu"), { form: "list", hint: "Others are dropped; original and any, too" }),
        part("audio_tracks.downmix", "Downmix", among("downmix", "as the source", "mono", "stereo", "dialogue", "night", "rfc7845", "5.1")),
        part("audio_tracks.loudness", "Loudness", text("loudness", "-23/7/-2"), { hint: "LUFS, range, true peak" }),
      ],
    ],
    [
      "Subtitle tracks",
      [
        part("subtitle_tracks.languages", "Languages", text("subtitle_language", "eng deu"), { form: "list", hint: "Others are dropped" }),
        part("subtitle_tracks.forced", "Forced tracks", among("forced", "keep", "drop", "only")),
        part("subtitle_tracks.sdh", "Tracks for the deaf (SDH)", among("sdh", "keep", "drop", "only")),
        part("subtitle_tracks.mark_foreign", "Mark the foreign track", yes("mark_foreign"), { form: "flag", hint: "Default and forced, for scenes in another language" }),
        part("subtitle_tracks.external", "Files beside the input", yes("external"), { form: "flag", hint: "film.en.forced.srt" }),
        part("subtitle_tracks.extract", "As files beside the output", yes("extract"), { form: "flag", hint: "film.en.forced.srt; captions, too" }),
        part(`${encode}.burn_in`, "Burn in", text("burn_in", "forced, foreign, eng, 1")),
        part("captions", "Closed captions", choice("captions", ["", "keep inside the video"], ["srt", "also as a subtitle track"])),
      ],
    ],
    [
      "Files beside the output",
      [
        part("companions.thumbnails", "Thumbnails", number("thumbnails", 1, 100), { form: "number" }),
        part("companions.contact_sheet", "Contact sheet", yes("contact_sheet"), { form: "flag" }),
        part("companions.sprites", "Sprites", yes("sprites"), { form: "flag", hint: "For a player's time line" }),
        part("companions.preview", "Preview", yes("preview"), { form: "flag" }),
        part("segment_seconds", "Segments for HLS and DASH", number("segment_seconds", 1, 60), { form: "number", hint: "Seconds, with cmaf; 6 if empty" }),
      ],
    ],
    [
      "Input",
      [
        part("trim", "Only this part", text("trim", "1:30-2:45"), { hint: "From and to" }),
        part("strict_input", "Damaged inputs", choice("strict_input", ["", "encode what can be read"], ["true", "refuse"]), { form: "flag" }),
      ],
    ],
  ];
  const all = groups.flatMap(([, parts]) => parts);
  return { groups, all };
}

/** @typedef {ReturnType<typeof recipeParts>} Parts */

/** @param {Part} part */
const isOfEncode = ({ path }) => path[1] === "encode";

/**
 * A group of fields that folds, and is open where one of them says something.
 * @param {string} name
 * @param {Pick<Part, "label" | "control" | "hint">[]} parts
 */
export const foldedGroup = (name, parts) =>
  h(
    "details",
    { class: "wide parts", "data-group": name.split(" ")[0]?.toLowerCase() },
    h("summary", {}, name),
    h("div", { class: "grid" }, ...parts.map(({ label, control, hint }) => field(label, control, hint))),
  );

/**
 * Closes the fields that mean nothing beside the rest.
 * @param {Parts} parts
 * @param {boolean} encodes whether video is encoded
 */
export function settleParts({ all }, encodes) {
  for (const part of all) part.control.disabled = (isOfEncode(part) && !encodes) || part.needs?.value.trim() === "";
}

/**
 * The value of a part; nothing where its field is empty or closed.
 * @param {Part} part
 */
function value({ form, control }) {
  const said = control.disabled ? "" : control.value.trim();
  if (said === "") return undefined;
  if (form === "flag") return true;
  if (form === "number") return Number(said);
  return form === "list" ? said.split(/[\s,]+/) : said;
}

/**
 * Writes what the fields say into a recipe, in place of what it says there.
 * @param {Parts} parts
 * @param {Recipe} recipe
 */
export function readParts({ all }, recipe) {
  for (const part of all) {
    const found = value(part);
    const path = found === undefined && part.isKey ? part.path.slice(0, -1) : part.path;
    /** @type {any} */
    let place = recipe;
    for (const name of path.slice(0, -1)) {
      if (found !== undefined) place[name] ??= {};
      place = place?.[name];
    }
    const last = /** @type {string} */ (path.at(-1));
    if (found !== undefined) place[last] = found;
    else if (place) delete place[last];
  }
}

/**
 * Has the fields say what a recipe says.
 * @param {Parts} parts
 * @param {Recipe} recipe
 */
export function fillParts({ all }, recipe) {
  for (const { path, form, control } of all) {
    /** @type {any} */
    let found = recipe;
    for (const name of path) found = found?.[name];
    const said = form === "list" ? (found ?? []).join(" ") : form === "flag" ? (found ? "true" : "") : String(found ?? "");
    if (!(control instanceof HTMLSelectElement)) control.value = said;
    // The first option stands for the default.
    else if (said === "" || said === control.options[0]?.textContent) control.value = "";
    else choose(control, said);
    if (control.value !== "") {
      const group = control.closest("details");
      if (group) group.open = true;
    }
  }
}
