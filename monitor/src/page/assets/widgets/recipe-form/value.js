// @ts-check
// From fields to a recipe, and back.

/** @import { Audio, AudioEncoder, AudioObject, Choice, Codec, Rate, Recipe, VideoEncode } from "#types" */
/** @import { Fields } from "./fields.js" */
/** @import { Parts } from "./parts.js" */

import { choose } from "./controls.js";
import { encodes, settleFields } from "./fields.js";
import { fillParts, readParts, settleParts } from "./parts.js";

/**
 * What an open field says; nothing for a closed one.
 * @param {HTMLInputElement | HTMLSelectElement} field
 */
const said = (field) => (field.disabled ? "" : field.value.trim());

/**
 * The choice of the encoder.
 * @param {Fields} fields
 * @returns {VideoEncode["with"]}
 */
function readChoice(fields) {
  const name = fields.with.value;
  const others = said(fields.else);
  if (name.startsWith("any_")) return { codec: /** @type {Codec} */ (name.slice(4)) };
  return others ? { first_of: [name, ...others.split(",")] } : { encoder: name };
}

/**
 * The rate; nothing for the encoder's default. `before` is what the recipe said, whose limit of size stays.
 * @param {Fields} fields
 * @param {Rate | undefined} before
 * @returns {Rate | undefined}
 */
function readRate(fields, before) {
  const [kind, amount] = [said(fields.rate), said(fields.amount)];
  if (kind === "lossless") return "lossless";
  if (!amount) return undefined;
  if (kind === "quality") return { quality: Number(amount) };
  if (kind === "crf") return { crf: Number(amount) };
  if (kind === "size") return { size: amount };
  if (kind === "bitrate") return { bitrate: amount };
  const target = typeof before === "object" && "target" in before ? before.target : {};
  return { target: { ...target, score: amount } };
}

/**
 * @param {Fields} fields
 * @param {VideoEncode | undefined} before
 * @returns {VideoEncode}
 */
function readEncode(fields, before) {
  const rate = readRate(fields, before?.rate);
  /** @type {VideoEncode} */
  const encode = { ...before, with: readChoice(fields) };
  if (rate) encode.rate = rate;
  else delete encode.rate;
  return encode;
}

/**
 * @param {Fields} fields
 * @returns {Audio}
 */
function readAudio(fields) {
  const choice = fields.audio.value;
  if (fields.bitrate.disabled) return /** @type {Audio} */ (choice);
  const bitrate = said(fields.bitrate);
  const isElse = choice.startsWith("else:");
  const encoder = /** @type {AudioEncoder} */ (isElse ? choice.slice(5) : choice);
  const encode = bitrate ? { encoder, bitrate } : { encoder };
  return isElse ? { copy_else: encode } : { encode };
}

/** @param {Recipe | null} recipe */
const encodeOf = (recipe) => (typeof recipe?.video === "object" ? recipe.video.encode : undefined);

/**
 * The recipe that the fields say. What no field shows stays as it is in `before`, the recipe that filled them.
 * @param {Fields} fields
 * @param {Parts} parts
 * @param {Recipe | null} before
 * @param {string[]} refused kinds of losses
 * @returns {Recipe}
 */
export function readRecipe(fields, parts, before, refused) {
  /** @type {Recipe} */
  const recipe = structuredClone({
    ...before,
    video: encodes(fields) ? { encode: readEncode(fields, encodeOf(before)) } : /** @type {"copy" | "none"} */ (fields.with.value),
    audio: readAudio(fields),
    subtitles: /** @type {Recipe["subtitles"]} */ (fields.subtitles.value),
    container: /** @type {Recipe["container"]} */ (fields.container.value),
  });
  readParts(parts, recipe);
  if (refused.length) recipe.refuse_loss = /** @type {Recipe["refuse_loss"]} */ (refused);
  else delete recipe.refuse_loss;
  return recipe;
}

/**
 * The rate of a recipe as its kind and its amount.
 * @param {Rate | undefined} rate
 * @returns {[string, string]}
 */
function rateOf(rate) {
  if (typeof rate !== "object") return [rate === "lossless" ? rate : "", ""];
  if ("target" in rate) return ["target", rate.target.score];
  const [kind = "", amount = ""] = Object.entries(rate)[0] ?? [];
  return [kind, String(amount)];
}

/**
 * Has the fields say this recipe; `offerOthers` offers the encoders that could stand in, and chooses one.
 * @param {Fields} fields
 * @param {Parts} parts
 * @param {Recipe} recipe
 * @param {(chosen: string) => void} offerOthers
 */
export function fillRecipe(fields, parts, recipe, offerOthers) {
  const encode = encodeOf(recipe);
  /** @type {Choice} */
  const { encoder, codec, first_of: several } = encode?.with ?? {};
  const other = typeof recipe.video === "string" ? recipe.video : "copy";
  choose(fields.with, codec ? `any_${codec}` : (several?.[0] ?? encoder ?? other));
  offerOthers(several?.slice(1).join() ?? "");
  const [kind, amount] = rateOf(encode?.rate);
  fields.rate.value = kind;
  // A field of another type would not take the value.
  settleFields(fields);
  fields.amount.value = amount;
  /** @type {AudioObject} */
  const audio = typeof recipe.audio === "object" ? recipe.audio : {};
  const sound = audio.encode ?? audio.copy_else;
  const plain = typeof recipe.audio === "string" ? recipe.audio : "copy";
  choose(fields.audio, audio.copy_else ? `else:${audio.copy_else.encoder}` : (sound?.encoder ?? plain));
  fields.bitrate.value = String(sound?.bitrate ?? "");
  fields.subtitles.value = recipe.subtitles ?? "keep";
  choose(fields.container, recipe.container ?? "mkv");
  fillParts(parts, recipe);
  settleFields(fields);
  settleParts(parts, encodes(fields));
}
