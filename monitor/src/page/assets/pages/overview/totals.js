// @ts-check
// The sums at the top.

/** @import { State } from "#types" */

import { h, say, set } from "../../lib/dom.js";
import { age, bytes, change, count, fps, plural } from "../../lib/format.js";
import { address } from "../../lib/router.js";

/**
 * A figure that leads to what it counts.
 * @param {string} href
 */
function tile(href) {
  const link = h("a", { href });
  const figure = h("span", { class: "figure" }, "–");
  const aside = h("span", { class: "aside" });
  const element = h("div", { class: "total" }, h("dt", {}, link), h("dd", {}, figure, aside));
  return {
    element,
    /**
     * @param {string} label
     * @param {string} value
     * @param {string} more
     * @param {string | null} tone
     */
    update(label, value, more, tone = null) {
      say(link, label);
      say(figure, value);
      say(aside, more);
      set(link, "title", more);
      set(element, "data-tone", tone);
    },
  };
}

export function totals() {
  const latest = { sort: "changed", descending: "true" };
  const running = tile(address("jobs", { state: "running" }));
  const pending = tile(address("jobs", { state: "pending" }));
  const done = tile(address("jobs", { state: "completed", ...latest }));
  const failed = tile(address("jobs", { state: "failed", ...latest }));
  const workers = tile(address("workers"));
  const saved = tile(address("history"));
  const tiles = [running, pending, done, failed, workers, saved].map((tile) => tile.element);
  const element = h(
    "section",
    { "aria-labelledby": "totals-title" },
    h("h2", { class: "unseen", id: "totals-title" }, "Totals"),
    h("dl", { class: "totals", id: "totals" }, ...tiles),
  );

  /**
   * @param {State} state
   * @param {number} now
   */
  function update({ totals, queues }, now) {
    const since = totals.since ? `last ${age(totals.since, now)}` : "in all";
    const used = queues.filter((row) => row.pending > row.parts).length;
    running.update("Running", count(totals.running), totals.fps ? fps(totals.fps) : "");
    pending.update("Pending", count(totals.pending), totals.pending ? `in ${plural(used, "queue")}` : "");
    const others = [totals.checked ? `${count(totals.checked)} checked` : "", totals.kept ? `${count(totals.kept)} kept` : "", totals.cancelled ? `${count(totals.cancelled)} cancelled` : ""].filter(Boolean);
    done.update("Done", count(totals.completed), [since, ...others].join(" · "));
    failed.update("Failed", count(totals.failed), since, totals.failed ? "bad" : null);
    workers.update("Workers", count(totals.workers), plural(totals.slots, "slot"));
    const less = totals.input_bytes - totals.output_bytes;
    const ratio = totals.input_bytes ? `${change(totals.input_bytes, totals.output_bytes)} of ${bytes(totals.input_bytes)}` : "";
    saved.update(less < 0 ? "Grown" : "Saved", bytes(Math.abs(less)), ratio, less > 0 ? "good" : null);
  }

  return { element, update };
}
