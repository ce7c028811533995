// @ts-check
// From fields to a recipe, and back.

/** @import { Audio, AudioEncoder, AudioObject, Choice, Codec, Recipe, VideoEncode } from "#types" */
/** @import { Fields } from "./fields.js" */

import { choose, settleFields } from "./fields.js";

/**
 * What an open field says; nothing for a closed one.
 * @param {HTMLInputElement | HTMLSelectElement} field
 */
const said = (field) => (field.disabled ? "" : field.value.trim());

/**
 * @param {Fields} fields
 * @returns {VideoEncode}
 */
function readEncode(fields) {
  const name = fields.with.value;
  const others = said(fields.else);
  /** @type {VideoEncode} */
  const encode = { with: { encoder: name } };
  if (name.startsWith("any_")) encode.with = { codec: /** @type {Codec} */ (name.slice(4)) };
  else if (others) encode.with = { first_of: [name, ...others.split(",")] };
  const [kind, amount] = [said(fields.rate), said(fields.amount)];
  if (amount && kind === "quality") encode.rate = { quality: Number(amount) };
  else if (amount && kind === "crf") encode.rate = { crf: Number(amount) };
  else if (amount && kind === "bitrate") encode.rate = { bitrate: amount };
  for (const part of /** @type {const} */ (["preset", "scale", "filters"])) {
    const value = said(fields[part]);
    if (value) encode[part] = value;
  }
  if (said(fields.hdr)) encode.hdr = /** @type {VideoEncode["hdr"]} */ (said(fields.hdr));
  if (said(fields.chroma)) encode.chroma = /** @type {VideoEncode["chroma"]} */ (said(fields.chroma));
  if (said(fields.bit_depth)) encode.bit_depth = /** @type {VideoEncode["bit_depth"]} */ (Number(said(fields.bit_depth)));
  if (said(fields.scale) && said(fields.scale_up)) encode.scale_up = true;
  if (said(fields.arguments)) encode.arguments = said(fields.arguments).split(/\s+/);
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

/**
 * The recipe that the fields say.
 * @param {Fields} fields
 * @param {string[]} refused kinds of losses
 * @returns {Recipe}
 */
export function readRecipe(fields, refused) {
  /** @type {Recipe} */
  const recipe = {
    video: fields.with.value === "copy" ? "copy" : { encode: readEncode(fields) },
    audio: readAudio(fields),
    subtitles: /** @type {Recipe["subtitles"]} */ (fields.subtitles.value),
    container: /** @type {Recipe["container"]} */ (fields.container.value),
  };
  if (fields.captions.value !== "keep") recipe.captions = /** @type {Recipe["captions"]} */ (fields.captions.value);
  if (fields.strict_input.value) recipe.strict_input = true;
  if (refused.length) recipe.refuse_loss = /** @type {Recipe["refuse_loss"]} */ (refused);
  return recipe;
}

/**
 * Has the fields say this recipe; `offerOthers` offers the encoders that could stand in, and chooses one.
 * @param {Fields} fields
 * @param {Recipe} recipe
 * @param {(chosen: string) => void} offerOthers
 */
export function fillRecipe(fields, recipe, offerOthers) {
  const encode = recipe.video === "copy" ? undefined : recipe.video.encode;
  /** @type {Choice} */
  const { encoder, codec, first_of: several } = encode?.with ?? {};
  choose(fields.with, codec ? `any_${codec}` : (several?.[0] ?? encoder ?? "copy"));
  offerOthers(several?.slice(1).join() ?? "");
  const [kind = "", amount = ""] = Object.entries(typeof encode?.rate === "object" ? encode.rate : {})[0] ?? [];
  fields.rate.value = kind;
  // A field of another type would not take the value.
  settleFields(fields);
  fields.amount.value = String(amount);
  for (const part of /** @type {const} */ (["preset", "scale", "filters", "hdr", "chroma"])) fields[part].value = encode?.[part] ?? "";
  fields.bit_depth.value = String(encode?.bit_depth ?? "");
  fields.arguments.value = encode?.arguments?.join(" ") ?? "";
  fields.scale_up.value = encode?.scale_up ? "true" : "";
  /** @type {AudioObject} */
  const audio = typeof recipe.audio === "object" ? recipe.audio : {};
  const sound = audio.encode ?? audio.copy_else;
  const plain = typeof recipe.audio === "string" ? recipe.audio : "copy";
  choose(fields.audio, audio.copy_else ? `else:${audio.copy_else.encoder}` : (sound?.encoder ?? plain));
  fields.bitrate.value = String(sound?.bitrate ?? "");
  fields.subtitles.value = recipe.subtitles ?? "keep";
  choose(fields.container, recipe.container ?? "mkv");
  fields.captions.value = recipe.captions ?? "keep";
  fields.strict_input.value = recipe.strict_input ? "true" : "";
  settleFields(fields);
}
