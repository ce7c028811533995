// @ts-check
// Jobs that wait: for their turn, or for their next attempt.

/** @import { Deps, NextRow, RetryRow, Row, State } from "#types" */

import { h, say, set } from "../../lib/dom.js";
import { age, ago, bytes, duration, localTimes, plural } from "../../lib/format.js";
import { chip, jobFolder, jobLink } from "../../widgets/job-name.js";
import { jobList } from "./job-list.js";
import { UNSERVED } from "./unserved.js";

/** @returns {Row<NextRow, [number, Map<string, number>]>} */
function nextRow() {
  const name = jobLink();
  const folder = jobFolder();
  const queue = chip();
  const priority = h("span", { class: "priority" });
  const size = h("span", { class: "end soft" });
  const since = h("span", { class: "end" });
  const held = h("span", { class: "held" });
  const facts = h("div", { class: "facts" }, priority, queue.element, held, folder.element, since);
  const element = h("li", {}, h("div", { class: "line" }, name.element, size), facts);
  return {
    element,
    update(item, now, names) {
      name.update(item.job, names);
      folder.update(item.job);
      queue.update(item.queue);
      say(priority, `prio ${item.priority}`);
      set(priority, "data-urgent", item.priority > 5);
      say(size, bytes(item.input_size));
      say(held, item.unserved ? UNSERVED[item.unserved] : "");
      say(since, `waiting for ${age(item.enqueued, now)}`);
    },
  };
}

/** @returns {Row<RetryRow, [number, Map<string, number>]>} */
function retryRow() {
  const name = jobLink();
  const queue = chip();
  const when = h("span", { class: "end" });
  const reason = h("span", { class: "reason" });
  const failures = h("span");
  const element = h("li", {}, h("div", { class: "line" }, name.element, when), h("div", { class: "facts" }, queue.element, failures), reason);
  return {
    element,
    update(item, now, names) {
      name.update(item.job, names);
      queue.update(item.queue);
      const left = (Date.parse(item.until) - now) / 1000;
      say(when, left > 0 ? `again in ${duration(left)}` : `due ${ago(item.until, now)}`);
      say(failures, `failed ${item.attempts === 1 ? "once" : plural(item.attempts, "time")}`);
      say(reason, localTimes(item.reason));
    },
  };
}

/** @param {Deps} deps */
export function nextJobs(deps) {
  const empty = ["No job is waiting. Enqueue files with ", h("code", {}, "producer enqueue PATH"), "."];
  const list = jobList(deps, { id: "next", title: "Next in line", few: 8, empty }, nextRow);
  return {
    element: list.element,
    /**
     * @param {State} state
     * @param {number} now
     */
    update: ({ next, totals }, now) => list.update(next, Math.max(totals.pending, next.length), now),
  };
}

/** @param {Deps} deps */
export function retryingJobs(deps) {
  const list = jobList(deps, { id: "retrying", title: "Retrying", few: 8 }, retryRow);
  return {
    element: list.element,
    /**
     * @param {State} state
     * @param {number} now
     */
    update: ({ retrying }, now) => list.update(retrying, retrying.length, now),
  };
}
