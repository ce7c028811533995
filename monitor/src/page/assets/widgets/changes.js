// @ts-check
// What becomes of what an input holds: lost and converted at once, the rest on demand.

/** @import { Change } from "#types" */

import { h } from "../lib/dom.js";
import { plural, printable } from "../lib/format.js";

const SIGNS = { lost: "✕", converted: "→", kept: "✓" };
/** Losses first. */
const ORDER = ["lost", "converted", "kept"];

/** Kinds of change that a job decides by looking at the pictures: they are shown at once, as asked for as they are. */
const SEEN = ["aspect", "interlacing"];

/** @param {Change} change */
function row({ kind, fate, track, from, to, why, is_wanted: isWanted }) {
  const of = track === undefined ? "" : kind === "track" ? ` ${track}` : ` of track ${track}`;
  return h(
    "li",
    { "data-fate": fate, "data-wanted": isWanted },
    h("span", { class: "sign", role: "img", "aria-label": fate }, SIGNS[fate] ?? "?"),
    h("strong", {}, kind.replaceAll("_", " ")),
    h("bdi", {}, printable(`${of} · ${from}${to ? ` → ${to}` : ""}`)),
    h("span", { class: "soft" }, why ? ` ${printable(why)}` : ""),
  );
}

/**
 * The changes as elements; none where there are none.
 * @param {Change[]} changes
 */
export function changeList(changes) {
  const sorted = ORDER.flatMap((fate) => changes.filter((change) => change.fate === fate));
  /** @param {Change} change */
  const isNews = (change) =>
    (change.fate !== "kept" && !change.is_wanted) || (SEEN.includes(change.kind) && Boolean(change.why));
  const news = sorted.filter(isNews);
  const rest = sorted.filter((change) => !isNews(change));
  const parts = [];
  if (news.length) parts.push(h("ul", { class: "changes" }, ...news.map(row)));
  if (rest.length) {
    const wanted = rest.filter((change) => change.fate !== "kept").length;
    const words = [wanted ? `${wanted} as requested` : "", `${plural(rest.length - wanted, "thing")} kept`].filter(Boolean).join(", ");
    parts.push(h("details", {}, h("summary", {}, words), h("ul", { class: "changes" }, ...rest.map(row))));
  }
  return parts;
}
