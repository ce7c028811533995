// @ts-check
// A row of the table of jobs.

/** @import { JobRow, Row, RunningRow } from "#types" */

import { h, say, set } from "../../lib/dom.js";
import { ago, bytes, capitalised, change, localTimes, percent, printable, stateName, time } from "../../lib/format.js";
import { jobFolder, jobLink } from "../../widgets/job-name.js";

/**
 * @typedef {object} RowContext
 * @property {Map<string, number>} names
 * @property {(job: string) => boolean} isSelected
 * @property {(job: string) => RunningRow | undefined} live what a worker says of a running job
 */

/** @param {JobRow} job */
function sizes({ input_size: before, output_size: after }) {
  if (typeof after !== "number") return { words: bytes(before), title: null };
  return { words: `${bytes(before)} → ${bytes(after)}`, title: change(before, after) };
}

/**
 * @param {JobRow} first
 * @param {(job: string, isSelected: boolean, isRange: boolean) => void} select
 * @param {(event: DragEvent, job: string) => void} drag
 * @returns {Row<JobRow, [RowContext]>}
 */
export function jobTableRow({ job: { id } }, select, drag) {
  const box = h("input", { type: "checkbox" });
  const link = jobLink();
  const folder = jobFolder();
  folder.element.classList.add("soft");
  const brief = h("span", { class: "brief soft" });
  const state = h("span", { class: "state" });
  const bar = h("progress", { max: 1 });
  const reason = h("span", { class: "why" });
  const queue = h("td", { class: "mono second" });
  const priority = h("td", { class: "number second" });
  const worker = h("td", { class: "second" });
  const size = h("td", { class: "number second" });
  const enqueued = h("td", { class: "number second" });
  const changed = h("td", { class: "number third" });
  const element = h(
    "tr",
    { tabindex: -1, draggable: "true", "data-id": id },
    h("td", {}, box),
    h("th", { scope: "row" }, link.element, folder.element, brief),
    h("td", { class: "standing" }, state, bar, reason),
    queue,
    priority,
    worker,
    size,
    enqueued,
    changed,
  );
  box.addEventListener("click", (event) => select(id, box.checked, event.shiftKey));
  element.addEventListener("dragstart", (event) => drag(event, id));

  return {
    element,
    update(item, { names, isSelected, live }) {
      const now = Date.now();
      link.update(item.job, names);
      folder.update(item.job);
      set(element, "data-state", item.state);
      set(element, "aria-selected", String(isSelected(id)));
      box.checked = isSelected(id);
      set(box, "aria-label", `Select ${printable(item.job.name)}`);
      const running = item.state === "running" ? live(id) : undefined;
      const { stage, fraction } = running ?? {};
      bar.hidden = !running;
      set(bar, "value", fraction);
      set(bar, "aria-label", stage);
      say(state, stage ? `${stage}${typeof fraction === "number" ? ` ${percent(fraction)}` : ""}` : stateName(item.state));
      set(element, "data-damaged", item.damaged ? "" : null);
      if (item.damaged) say(state, "damaged");
      const why = item.reason ? capitalised(localTimes(item.reason)) : "";
      say(reason, why);
      set(reason, "title", why || null);
      say(queue, item.queue);
      set(queue, "title", item.home ? `${item.queue}; its recipe belongs to ${item.home}` : item.queue);
      say(priority, String(item.priority));
      say(worker, item.worker ?? "");
      set(worker, "title", item.worker);
      const { words, title } = sizes(item);
      say(size, words);
      set(size, "title", title);
      for (const [cell, at] of /** @type {[Element, string][]} */ ([[enqueued, item.enqueued], [changed, item.changed]])) {
        say(cell, ago(at, now));
        set(cell, "title", time(at, now));
      }
      // What has no room of its own on a narrow screen.
      say(brief, [item.worker ?? item.queue, words, ago(item.changed, now)].join(" · "));
    },
  };
}
