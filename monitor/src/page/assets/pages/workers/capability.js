// @ts-check
// Which workers can do what is asked for, by what they have proved.

/** @import { CardRow, EncoderRow } from "#types" */

/**
 * What is asked for.
 * @typedef {object} Wanted
 * @property {string} encoder words that an encoder's name or codec holds
 * @property {string} bits a sample
 * @property {string} largest picture, `1920x1080`
 * @property {string} on what it runs, `hardware` or `software`
 * @property {string} also audio encoders, filters and muxers
 */

/** Other names of codecs. */
const ALIASES = new Map([["h265", "hevc"], ["avc", "h264"], ["h266", "vvc"]]);

/** @param {string} text */
const split = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

/**
 * Whether anything of an encoder is asked for.
 * @param {Wanted} wanted
 */
export const asksForEncoder = ({ encoder, bits, largest, on }) => [encoder, bits, largest, on].some((value) => value.trim() !== "");

/**
 * Whether anything is asked for.
 * @param {Wanted} wanted
 */
export const asksForAnything = (wanted) => asksForEncoder(wanted) || wanted.also.trim() !== "";

/**
 * Whether a proved encoder does what is asked for.
 * @param {EncoderRow} proof
 * @param {Wanted} wanted
 */
export function suits(proof, { encoder, bits, largest, on }) {
  const called = `${proof.name} ${proof.codec ?? ""}`.toLowerCase();
  const [width = 0, height = 0] = largest ? largest.split("x").map(Number) : [];
  return (
    split(encoder).every((word) => called.includes(ALIASES.get(word) ?? word)) &&
    (!bits || proof.depths.includes(Number(bits))) &&
    Number(proof.largest[0]) >= width &&
    Number(proof.largest[1]) >= height &&
    (!on || (proof.kind === "software") === (on === "software"))
  );
}

/**
 * Audio encoders, filters and muxers of a card.
 * @param {CardRow} card
 */
const extras = ({ audio, filters, muxers }) => [...audio, ...filters, ...muxers];

/**
 * All of these that any of the cards has, for a person to choose from.
 * @param {Record<string, CardRow>} cards
 */
export const allExtras = (cards) => [...new Set(Object.values(cards).flatMap(extras))].sort();

/**
 * Whether a card has all of the audio encoders, filters and muxers in `also`: one of exactly that name where `known`
 * has one, otherwise one that holds the word.
 * @param {CardRow} card
 * @param {string} also
 * @param {string[]} known
 */
function hasAll(card, also, known) {
  const names = extras(card);
  return split(also).every((word) => (known.includes(word) ? names.includes(word) : names.some((name) => name.toLowerCase().includes(word))));
}

/**
 * Whether a worker with this card can do what is asked for; `known` as [`allExtras`] gives them.
 * @param {CardRow | undefined} card
 * @param {Wanted} wanted
 * @param {string[]} known
 */
export function isCapable(card, wanted, known) {
  if (!card) return false;
  const encodes = !asksForEncoder(wanted) || card.encoders.some((proof) => suits(proof, wanted));
  return encodes && hasAll(card, wanted.also, known);
}
