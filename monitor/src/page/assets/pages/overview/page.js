// @ts-check
// The overview: what needs attention, what runs, what is next, and who is there.

/** @import { Mount, State } from "#types" */

import { h } from "../../lib/dom.js";
import { workerCards } from "../../widgets/workers/cards.js";
import { attention } from "./attention.js";
import { endedJobs } from "./ended.js";
import { queues } from "./queues.js";
import { runningJobs } from "./running.js";
import { totals } from "./totals.js";
import { trend } from "./trend.js";
import { nextJobs, retryingJobs } from "./waiting.js";

/** @type {Mount} */
export function mount(element, deps) {
  const { clock, lastDay, whenStill } = deps;
  const alarms = attention();
  const sums = totals();
  const day = trend();
  const jobs = [runningJobs, retryingJobs, nextJobs, endedJobs].map((list) => list(deps));
  const lanes = queues(deps);
  const workers = workerCards(deps);
  element.append(
    alarms.element,
    sums.element,
    day.element,
    h(
      "div",
      { class: "columns" },
      h("div", { class: "column" }, ...jobs.map((list) => list.element)),
      h("div", { class: "column" }, lanes.element, workers.element),
    ),
  );
  const parts = [alarms, sums, ...jobs, lanes, workers];

  /**
   * @param {State} state
   * @param {number} now
   */
  const draw = (state, now) => {
    for (const part of parts) part.update(state, now);
  };
  const stops = [clock.draw(draw), lastDay.follow((history) => whenStill(() => day.update(history)))];

  return {
    show() {},
    unmount: () => stops.forEach((stop) => stop()),
  };
}
