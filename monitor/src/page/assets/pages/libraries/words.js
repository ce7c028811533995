// @ts-check
// Libraries in words.

/** @import { LibraryRow, Saving } from "#types" */

import { ago, bytes, count, plural } from "../../lib/format.js";

/**
 * What happens to a library now.
 * @param {LibraryRow} row
 */
export function stateOf({ library, scan, kept }) {
  if (library.paused) return "paused";
  if (!scan) return "not scanned yet";
  if (!kept) return "no worker scans it";
  if (scan.problem) return `problem on ${scan.worker}`;
  const { phase } = scan;
  if (phase === "listing") return `listed by ${scan.worker}`;
  if (phase === "enqueueing") return `enqueued by ${scan.worker}`;
  const probing = typeof phase === "object" ? phase.probing : null;
  if (probing) return `${count(probing.done)} of ${count(probing.of)} probed by ${scan.worker}`;
  return `kept by ${scan.worker}`;
}

/**
 * What the last scan has found.
 * @param {LibraryRow} row
 */
export function lastScan({ scan }) {
  const last = scan?.last;
  if (!last) return "";
  const arriving = last.arriving ? `, ${count(last.arriving)} still arriving` : "";
  return `${ago(last.ended, Date.now())}: ${plural(last.files, "file")} seen, ${count(last.probed)} probed, ${plural(last.enqueued, "job")} enqueued, ${count(last.gone)} gone${arriving}`;
}

/**
 * Files and their size.
 * @param {{ files: number, bytes: number }} sum
 */
export const sumWords = (sum) => `${plural(sum.files, "file")}, ${bytes(sum.bytes)}`;

/**
 * What files of one codec could save, and how that is known.
 * @param {Saving} saving
 */
function savingWords({ codec, sum, ratio, basis }) {
  if (typeof ratio !== "number") return `${bytes(sum.bytes)} of ${codec}: not known yet`;
  const measured = basis === "library" ? "this library" : "the farm";
  return `${bytes(Math.max(0, sum.bytes * (1 - ratio)))} of ${bytes(sum.bytes)} ${codec} (outputs have ${Math.round(ratio * 100)}% of their sources in ${measured})`;
}

/**
 * What is left could save.
 * @param {LibraryRow["summary"]} summary
 */
export function couldSave({ to_do: toDo, would_save: wouldSave, savings }) {
  if (!toDo.files) return "";
  return `${bytes(wouldSave)}: ${savings.map(savingWords).join("; ")}`;
}
