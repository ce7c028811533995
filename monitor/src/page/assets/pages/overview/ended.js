// @ts-check
// Jobs that ended.

/** @import { Deps, EndedRow, Row, State } from "#types" */

import { h, say, set } from "../../lib/dom.js";
import { ago, bytes, capitalised, change, count, duration, fps, localTimes, plural, time } from "../../lib/format.js";
import { chip, jobLink } from "../../widgets/job-name.js";
import { jobList } from "./job-list.js";

const SIGNS = { completed: "✓", checked: "✓", kept: "=", failed: "✕", cancelled: "–" };

/** @returns {Row<EndedRow, [number, Map<string, number>]>} */
function row() {
  const name = jobLink();
  const sign = h("span", { class: "sign", role: "img" });
  const ratio = h("span", { class: "end" });
  const queue = chip();
  const sizes = h("span");
  const pace = h("span");
  const worker = h("span");
  const when = h("time", { class: "end" });
  const note = h("p", { class: "indented" });
  const facts = h("div", { class: "facts indented" }, queue.element, sizes, pace, worker, when);
  const element = h("li", {}, h("div", { class: "line" }, sign, name.element, ratio), facts, note);
  return {
    element,
    update({ job, ending, ended, queue: lane, worker: owner, attempts }, now, names) {
      name.update(job, names);
      set(element, "data-state", ending.state);
      say(sign, SIGNS[ending.state] ?? "?");
      set(sign, "aria-label", ending.state);
      const checked = ending.state === "checked" ? ending : null;
      const done = ending.state === "completed" ? ending : null;
      const isSmaller = done !== null && done.output_size < done.input_size;
      queue.update(done?.encoder ?? lane);
      say(ratio, done ? change(done.input_size, done.output_size) : checked ? (checked.damaged ? "damaged" : "healthy") : ending.state);
      ratio.classList.toggle("shrunk", isSmaller);
      ratio.classList.toggle("soft", !isSmaller);
      say(sizes, done ? `${bytes(done.input_size)} → ${bytes(done.output_size)}` : checked ? bytes(checked.input_size) : "");
      say(pace, done ? `${duration(done.seconds)}${done.fps ? ` · ${fps(done.fps)}` : ""}` : checked ? duration(checked.seconds) : "");
      const several = done && done.workers > 1 ? `on ${plural(done.workers, "worker")}` : "";
      say(worker, owner ? `on ${owner}${attempts > 1 ? `, attempt ${attempts}` : ""}` : several);
      say(when, ago(ended, now));
      set(when, "datetime", ended);
      set(when, "title", time(ended, now));
      const words = localTimes("reason" in ending ? ending.reason : (done?.news ?? ""));
      say(note, capitalised(words) + (done?.further_news ? ` (and ${count(done.further_news)} more)` : ""));
      set(note, "class", ending.state === "failed" ? "indented reason" : "indented warning");
      set(note, "title", words.length > 200 ? words : null);
      note.hidden = words === "";
    },
  };
}

/** @param {Deps} deps */
export function endedJobs(deps) {
  const list = jobList(deps, { id: "ended", title: "Recently ended", few: 8, empty: ["No job has ended yet."] }, row);
  return {
    element: list.element,
    /**
     * @param {State} state
     * @param {number} now
     */
    update: ({ recent, totals }, now) => list.update(recent, totals.completed + totals.kept + totals.failed + totals.cancelled, now),
  };
}
