// @ts-check
// What happened to a job, in words.

/** @import { JobEvent, What } from "#types" */

import { h } from "../../lib/dom.js";
import { madeBy } from "../../widgets/charts/split/words.js";
import { capitalised, count, duration, fps, localTimes, plural, time } from "../../lib/format.js";

/**
 * What happened, and more about it; `priority` says from which to which the job went.
 * @param {What} what
 * @param {string} kind
 * @param {string | null} priority
 * @returns {[string, string]}
 */
function wordsOf(what, kind, priority) {
  if (what.claimed) return [`Claimed by ${what.claimed}`, ""];
  if (what.progress) {
    const { frame, fps: rate } = what.progress;
    return ["Encoding", [`${count(frame)} frames`, rate ? fps(rate) : ""].filter(Boolean).join(", ")];
  }
  if (what.returned) return [`Released by ${what.returned}`, "the worker was told to stop; the attempt does not count"];
  if (what.moved) return [`Moved to ${what.moved}`, priority ? `priority ${priority}, by a person` : "by a person"];
  if (typeof what.split === "number") return [`Split into ${plural(what.split, "part")}`, ""];
  if (what.retried) return ["Attempt failed", localTimes(what.retried.message)];
  if (what.completed) return ["Completed", `by ${madeBy(what.completed)} in ${duration(what.completed.total_seconds)}`];
  if (what.kept) return ["Original kept", `by ${what.kept.worker} in ${duration(what.kept.seconds)}${what.kept.copy ? ", and copied to where the output would be" : ""}`];
  if (what.failed) return ["Failed", localTimes(what.failed.message)];
  switch (kind) {
    case "queued":
      return ["Enqueued", ""];
    case "requeued":
      return [priority ? `Priority ${priority}` : "Enqueued again", "by a person"];
    case "cancelled":
      return ["Cancelled", "by a person"];
    default:
      return [capitalised(kind), ""];
  }
}

/**
 * All that happened, the earliest first.
 * @param {JobEvent[]} events
 */
export function timelineRows(events) {
  /** @type {number | null} the priority that the job had until then */
  let before = null;
  return events.flatMap(({ what, attempt, at, priority }) => {
    const kind = typeof what === "string" ? what : (Object.keys(what)[0] ?? "");
    if (kind === "command") return [];
    const change = priority && before && priority !== before ? `${before} → ${priority}` : null;
    before = priority ?? before;
    const [words, more] = wordsOf(typeof what === "string" ? {} : what, kind, change);
    return [
      h(
        "li",
        { "data-kind": kind },
        h("time", { datetime: at }, time(at, Date.now())),
        h("span", { class: "words" }, words),
        h("span", { class: "soft" }, [more, attempt > 1 ? `attempt ${attempt}` : ""].filter(Boolean).join(" · ")),
      ),
    ];
  });
}

/**
 * The latest command line of ffmpeg.
 * @param {JobEvent[]} events
 */
export const lastCommand = (events) =>
  events.flatMap(({ what }) => (typeof what === "object" && what.command ? [what.command] : [])).at(-1);
