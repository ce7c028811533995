// @ts-check
// What is said of one part of a split job.

/** @import { PartRow, Report } from "#types" */

import { age, clock, count, duration, percent, plural } from "../../../lib/format.js";

/** @param {string} part */
export const isTwin = (part) => part.startsWith("twin-");

/**
 * The number of the chunk that a part makes; `null` for other tracks.
 * @param {string} part
 */
export function chunkOf(part) {
  const [, number = ""] = part.match(/^(?:chunk|twin)-(\d+)$/) ?? [];
  return number === "" ? null : Number(number);
}

/** @param {PartRow} row */
function name({ part, start_seconds: start, length_seconds: length, frames }) {
  const number = chunkOf(part);
  if (number === null) return "Other tracks";
  const where = typeof start === "number" && typeof length === "number" ? ` (${clock(start)}–${clock(start + length)})` : "";
  const size = typeof frames === "number" ? `, ${count(frames)} frames` : "";
  return `Chunk ${number}${where}${size}`;
}

/**
 * @param {PartRow} row
 * @param {number} now
 */
function standing({ state, worker, since, fraction, encode_seconds: seconds }, now) {
  switch (state) {
    case "running":
      return `running on ${worker}${since ? ` for ${age(since, now)}` : ""}, ${percent(fraction)}`;
    case "completed":
      return `done by ${worker}${typeof seconds === "number" ? ` in ${duration(seconds)}` : ""}`;
    case "waiting":
      return `failed on ${worker ?? "a worker"}, will be tried again`;
    case "failed":
      return `failed on ${worker ?? "a worker"}`;
    case "cancelled":
      return "cancelled";
    default:
      return "waits for a worker";
  }
}

/**
 * All that is known of a part, and of a second run of the same chunk.
 * @param {PartRow} row
 * @param {PartRow | undefined} twin
 * @param {number} now
 */
export function partWords(row, twin, now) {
  const attempt = row.attempt > 1 ? `, attempt ${row.attempt}` : "";
  const second = twin ? `; a second run: ${standing(twin, now)}` : "";
  return `${name(row)}: ${standing(row, now)}${attempt}${second}`;
}

/**
 * The worker that made an output, or how many did so in parts.
 * @param {Report} report
 */
export function madeBy({ worker, split }) {
  const workers = new Set(split && "parts" in split ? split.parts.map((part) => part.worker) : [worker]);
  const [one = worker] = workers;
  return workers.size === 1 ? one : plural(workers.size, "worker");
}
