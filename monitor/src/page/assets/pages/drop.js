// Dragging jobs onto a worker: while they hover it is plain whether it could
// run them.

import { h, keyed, say, set } from "../dom.js";
import { plural } from "../format.js";

const TYPE = "application/x-farm-jobs";

/**
 * Makes `panel` a row of workers to drop jobs on. `fits(jobs)` says who could
 * run them, `drop(jobs, worker)` is called where one could.
 */
export function dropping(panel, fits, drop) {
  const list = panel.querySelector("ul");
  const hint = panel.querySelector(".hint");
  const usual = hint.textContent;
  let dragged = null;
  let verdicts = new Map();

  function target(row) {
    const words = h("span", { class: "hint" });
    const element = h("li", { class: "target" }, h("span", { class: "mono", title: row.name }, row.name), words);
    element.addEventListener("dragover", (event) => {
      if (!dragged) return;
      set(element, "data-over", true);
      // A target has room for a few words only, as it must not grow under the pointer.
      say(hint, `${row.name}: ${words.textContent}`);
      if (verdicts.get(row.name)?.fits) {
        event.preventDefault();
        event.dataTransfer.dropEffect = "move";
      }
    });
    element.addEventListener("dragleave", () => {
      set(element, "data-over", null);
      say(hint, usual);
    });
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      const jobs = dragged;
      stop();
      if (jobs) drop(jobs, row.name);
    });
    return {
      element,
      update(row) {
        const verdict = verdicts.get(row.name);
        set(element, "data-fits", verdict ? String(verdict.fits) : null);
        const free = `${row.running.length} of ${plural(row.slots, "slot")} busy`;
        say(words, !dragged ? free : verdict ? (verdict.fits ? `yes: ${free}` : `no: ${verdict.why}`) : "…");
      },
    };
  }

  let rows = [];
  const draw = () => keyed(list, rows, (row) => row.name, target);

  function stop() {
    dragged = null;
    verdicts = new Map();
    say(hint, usual);
    for (const element of list.children) set(element, "data-over", null);
    draw();
  }
  addEventListener("dragend", stop);

  return {
    workers(all) {
      rows = all.filter((row) => row.status !== "lost");
      panel.hidden = rows.length === 0;
      draw();
    },
    async start(event, jobs) {
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData(TYPE, jobs.join());
      event.dataTransfer.setData("text/plain", jobs.join("\n"));
      dragged = jobs;
      draw();
      const found = await fits(jobs);
      if (dragged !== jobs || !found) return;
      verdicts = new Map(found.map((verdict) => [verdict.worker, verdict]));
      draw();
    },
  };
}
