// @ts-check
// Jobs that a worker is running, or several.

/** @import { Deps, Row, RunningRow, State } from "#types" */

import { h, say, set } from "../../lib/dom.js";
import { age, bitrate, bytes, capitalised, duration, fps, percent, plural, printable, speed } from "../../lib/format.js";
import { chip, jobLink } from "../../widgets/job-name.js";
import { chunkStrip } from "../../widgets/charts/split/strip.js";
import { jobList } from "./job-list.js";

const STAGES = new Map([["verifying", "Checking the result"]]);

/** @param {RunningRow} item */
function where({ worker, split }) {
  if (worker) return `on ${worker}`;
  const workers = split?.workers ?? [];
  return workers.length === 1 ? `on ${workers[0]}` : workers.length ? `on ${plural(workers.length, "worker")}` : "in parts";
}

/**
 * @param {Deps} deps
 * @returns {Row<RunningRow, [number, Map<string, number>]>}
 */
function row(deps) {
  const name = jobLink();
  const share = h("span", { class: "end percent" });
  const bar = h("progress", { max: 1 });
  const stage = h("span", { class: "stage" });
  const figures = h("span");
  const sizes = h("span");
  const queue = chip();
  const worker = h("span");
  const attempt = h("span", { class: "warning" });
  const eta = h("span", { class: "end eta" });
  const facts = h("div", { class: "facts" }, stage, figures, sizes, queue.element, worker, attempt);
  const strip = chunkStrip(deps);
  const element = h("li", {}, h("div", { class: "line" }, name.element, share), bar, h("div", { class: "line" }, facts, eta), strip.element);
  return {
    element,
    update(item, now, names) {
      const words = STAGES.get(item.stage) ?? capitalised(item.stage);
      name.update(item.job, names);
      queue.update(item.queue);
      set(element, "data-stage", item.stage);
      set(bar, "value", item.fraction);
      set(bar, "aria-label", `${words}: ${printable(item.job.name)}`);
      say(share, typeof item.fraction === "number" ? percent(item.fraction) : "");
      say(stage, words);
      const { fps: rate, speed: tempo, bitrate: bits, output_size: size } = item;
      const isEncoding = item.stage === "encoding" && rate;
      say(figures, isEncoding ? `${fps(rate)} · ${speed(tempo ?? 0)}` : "");
      say(sizes, isEncoding && size ? [`${bytes(item.input_size)} → ${bytes(size)}`, bits && bitrate(bits)].filter(Boolean).join(" · ") : bytes(item.input_size));
      say(eta, typeof item.eta === "number" ? `about ${duration(item.eta)} left` : "");
      say(worker, `${where(item)} for ${age(item.since, now)}`);
      if (item.split) strip.update(item.job.id);
      else strip.clear();
      say(attempt, item.worker_lost ? "worker not responding" : item.attempt > 1 ? `attempt ${item.attempt}` : "");
    },
  };
}

/** @param {Deps} deps */
export function runningJobs(deps) {
  const list = jobList(deps, { id: "running", title: "Running", few: 24, empty: ["No job is running."] }, () => row(deps));
  return {
    element: list.element,
    /**
     * @param {State} state
     * @param {number} now
     */
    update: ({ running }, now) => list.update(running, running.length, now),
  };
}
