// @ts-check
// Which encoders a recipe may name.

/** @import { State, Vocabulary } from "#types" */

import { optionGroup } from "./controls.js";

/**
 * Every encoder and codec, those first that a live worker has proved: as groups of options, and what each makes.
 * @param {Vocabulary} vocabulary
 * @param {State | null} state
 */
export function encoderChoices({ codecs, encoders }, state) {
  const proved = Object.values(state?.cards ?? {}).flatMap((card) => card.encoders);
  const makes = new Map([...encoders, ...proved].map((row) => [row.name, row.codec]));
  const live = new Set(proved.map((row) => row.name));
  const made = new Set(proved.map((row) => /** @type {string | null | undefined} */ (row.codec)));
  const names = [...makes.keys()].sort();

  /** @param {boolean} wanted */
  const codecsMade = (wanted) =>
    codecs.filter((codec) => made.has(codec) === wanted).map((codec) => /** @type {[string, string]} */ ([`any_${codec}`, `${codec}: each worker's best`]));
  /** @param {boolean} wanted */
  const encodersProved = (wanted) => names.filter((name) => live.has(name) === wanted).map((name) => /** @type {[string, string]} */ ([name, name]));

  return {
    makes,
    groups: [
      ...optionGroup("Any encoder of a codec", codecsMade(true)),
      ...optionGroup("One encoder", encodersProved(true)),
      ...optionGroup("Not proved by any live worker", [...codecsMade(false), ...encodersProved(false)]),
      ...optionGroup("No encoder", [
        ["copy", "copy: keep the video as it is"],
        ["none", "none: sound only"],
      ]),
    ],
  };
}

/** @typedef {ReturnType<typeof encoderChoices>} EncoderChoices */
