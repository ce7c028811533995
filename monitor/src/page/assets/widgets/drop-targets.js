// @ts-check
// Dragging jobs onto a worker: while they hover it is plain whether it could run them.

/** @import { Fit, WorkerRow } from "#types" */

import { h, keyedList, say, set } from "../lib/dom.js";
import { plural } from "../lib/format.js";

const TYPE = "application/x-farm-jobs";
const HINT = "Drag jobs onto a worker to assign them to it; by keyboard, select them and press a.";

/**
 * A row of workers to drop jobs on.
 * @param {(jobs: string[]) => Promise<Fit[] | null>} fits says who could run them
 * @param {(jobs: string[], worker: string) => void} drop is called where one could
 */
export function dropTargets(fits, drop) {
  const hint = h("p", { class: "hint" }, HINT);
  const list = h("ul", { "aria-label": "Workers to drop jobs on" });
  const element = h("div", { class: "targets act", hidden: true }, hint, list);
  /** @type {string[] | null} */
  let dragged = null;
  /** @type {Map<string, Fit>} */
  let verdicts = new Map();
  /** @type {WorkerRow[]} */
  let rows = [];

  /** @param {WorkerRow} row */
  function target({ name }) {
    const words = h("span", { class: "hint" });
    const element = h("li", { class: "target" }, h("span", { class: "mono", title: name }, name), words);
    element.addEventListener("dragover", (event) => {
      if (!dragged) return;
      set(element, "data-over", true);
      // A target has room for a few words only, as it must not grow under the pointer.
      say(hint, `${name}: ${words.textContent}`);
      if (verdicts.get(name)?.fits) {
        event.preventDefault();
        if (event.dataTransfer) event.dataTransfer.dropEffect = "move";
      }
    });
    element.addEventListener("dragleave", () => {
      set(element, "data-over", null);
      say(hint, HINT);
    });
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      const jobs = dragged;
      stop();
      if (jobs) drop(jobs, name);
    });
    return {
      element,
      /** @param {WorkerRow} row */
      update(row) {
        const verdict = verdicts.get(row.name);
        set(element, "data-fits", verdict ? String(verdict.fits) : null);
        const free = `${row.running.length} of ${plural(row.slots, "slot")} busy`;
        say(words, !dragged ? free : verdict ? (verdict.fits ? `Yes: ${free}` : `No: ${verdict.why}`) : "…");
      },
    };
  }

  const update = keyedList(list, (row) => row.name, target);

  function stop() {
    dragged = null;
    verdicts = new Map();
    say(hint, HINT);
    for (const element of list.children) set(element, "data-over", null);
    update(rows);
  }
  addEventListener("dragend", stop);

  return {
    element,
    /** @param {WorkerRow[]} all */
    update(all) {
      rows = all.filter((row) => row.status !== "lost");
      element.hidden = rows.length === 0;
      update(rows);
    },
    /**
     * @param {DragEvent} event
     * @param {string[]} jobs
     */
    async start(event, jobs) {
      if (!event.dataTransfer) return;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData(TYPE, jobs.join());
      event.dataTransfer.setData("text/plain", jobs.join("\n"));
      dragged = jobs;
      update(rows);
      const found = await fits(jobs);
      if (dragged !== jobs || !found) return;
      verdicts = new Map(found.map((verdict) => [verdict.worker, verdict]));
      update(rows);
    },
    unmount: () => removeEventListener("dragend", stop),
  };
}
