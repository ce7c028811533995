// Which workers can do what is asked, by what they have proved.

/** Other names of codecs. */
const ALIASES = { h265: "hevc", avc: "h264", h266: "vvc" };

const split = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

/** Whether anything of an encoder is asked for. */
export const asksForEncoder = ({ encoder, bits, largest, on }) => [encoder, bits, largest, on].some((value) => value.trim() !== "");

/** Whether anything is asked for. */
export const asksForAnything = (asked) => asksForEncoder(asked) || asked.also.trim() !== "";

/**
 * Whether a proved encoder does what is asked: all words of `encoder` in its
 * name or codec, `bits` a sample, pictures as `largest` (`1920x1080`), and `on`
 * what it runs, `hardware` or `software`.
 */
export function suits(proof, { encoder, bits, largest, on }) {
  const called = `${proof.name} ${proof.codec ?? ""}`.toLowerCase();
  const [width, height] = largest ? largest.split("x").map(Number) : [0, 0];
  return (
    split(encoder).every((word) => called.includes(ALIASES[word] ?? word)) &&
    (!bits || proof.depths.includes(Number(bits))) &&
    proof.largest[0] >= width &&
    proof.largest[1] >= height &&
    (!on || (proof.kind === "software") === (on === "software"))
  );
}

/** Audio encoders, filters and muxers of a card. */
const extras = ({ audio, filters, muxers }) => [...audio, ...filters, ...muxers];

/** All of these that any of the cards has, for a person to choose from. */
export const allExtras = (cards) => [...new Set(Object.values(cards).flatMap(extras))].sort();

/**
 * Whether a card has all of the audio encoders, filters and muxers in `also`: one
 * of exactly that name where there is one among `known`, otherwise one that
 * holds the word.
 */
function hasAll(card, also, known) {
  const names = extras(card);
  return split(also).every((word) => (known.includes(word) ? names.includes(word) : names.some((name) => name.toLowerCase().includes(word))));
}

/** Whether a worker with this card can do what is asked; `known` as [`allExtras`] gives them. */
export function able(card, asked, known) {
  const encodes = !asksForEncoder(asked) || card.encoders.some((proof) => suits(proof, asked));
  return encodes && hasAll(card, asked.also, known);
}
