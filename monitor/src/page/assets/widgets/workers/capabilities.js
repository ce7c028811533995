// @ts-check
// What a worker has proved: encoders as chips, and everything else on demand.

/** @import { CardRow, EncoderRow } from "#types" */

import { h, scrolling, tableHead } from "../../lib/dom.js";
import { bytes, count, fps, plural, printable } from "../../lib/format.js";

/** Encoders shown before the card is opened. */
const CHIPS = 6;

/** @param {EncoderRow} encoder */
function encoderChip(encoder) {
  const kind = encoder.kind === "software" ? "" : ` (${encoder.kind})`;
  return h(
    "li",
    { class: "chip", "data-hardware": kind !== "", title: `${encoder.name}${kind}: ${fps(encoder.fps)} at 1280×720` },
    h("span", { class: "mono" }, encoder.name),
    h("span", { class: "fps" }, count(Math.round(encoder.fps))),
    h("span", { class: "unseen" }, " fps"),
  );
}

/** @param {CardRow} card */
export function encoderChips({ encoders }) {
  const chips = encoders.slice(0, CHIPS).map(encoderChip);
  if (encoders.length > CHIPS) chips.push(h("li", { class: "chip" }, `+${encoders.length - CHIPS}`));
  return chips;
}

/**
 * @param {string} name of the worker
 * @param {EncoderRow[]} encoders
 */
function proofTable(name, encoders) {
  const rows = encoders.map((encoder) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", class: "mono" }, encoder.name),
      h("td", {}, encoder.kind),
      h("td", { class: "number" }, count(Math.round(encoder.fps))),
      h("td", {}, encoder.largest.join("×")),
      h("td", {}, encoder.depths.join(", ")),
      h("td", {}, encoder.sessions ? String(encoder.sessions) : "any"),
    ),
  );
  const head = tableHead([["Encoder"], ["Runs on"], ["fps at 720p", "number"], ["Largest"], ["Bits"], ["At once"]]);
  return scrolling(`Encoders that ${name} has proved`, h("table", { class: "card" }, head, h("tbody", {}, ...rows)));
}

/** @param {Record<string, string>} refused */
function refusedEncoders(refused) {
  const items = Object.entries(refused).map(([name, reason]) =>
    h("li", {}, h("span", { class: "mono" }, name), h("span", { class: "soft" }, ` ${printable(reason)}`)),
  );
  const words = `${plural(items.length, "encoder")} that ffmpeg lists but cannot use here`;
  return items.length ? [h("details", {}, h("summary", {}, words), h("ul", { class: "refused" }, ...items))] : [];
}

/**
 * Names under a label; none where there are none.
 * @param {string} label
 * @param {string[]} names
 * @param {string} kind
 */
const listOf = (label, names, kind = "host") =>
  names.length ? [h("p", { class: kind }, `${label}: ${printable(names.join(", "))}`)] : [];

/**
 * All that is known of a worker's machine.
 * @param {string} name
 * @param {CardRow} card
 */
export function capabilityDetails(name, card) {
  const host = `${card.host} · ${card.cpu}, ${plural(card.cores, "core")}, ${bytes(card.memory)} · ${card.os}`;
  return [
    h("p", { class: "host" }, printable(host)),
    ...(card.sandbox ? [h("p", { class: "host" }, `Sandbox: ${card.sandbox}`)] : []),
    ...listOf("Reads and writes below", card.roots, "host places"),
    ...listOf("Buckets", card.buckets, "host places"),
    proofTable(name, card.encoders),
    ...listOf("Audio", card.audio),
    ...listOf("Filters", card.filters),
    ...listOf("Containers", card.muxers),
    ...refusedEncoders(card.refused),
  ];
}
