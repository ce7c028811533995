// @ts-check
// The page's elements, before there is anything to show.

import { button, h } from "../../lib/dom.js";

/** @param {Element} targets where jobs are dropped */
export function skeleton(targets) {
  const listing = h("span", { class: "count listing", role: "status", hidden: true });
  const tabs = h("div", { class: "tabs", role: "group", "aria-label": "State" });

  const text = h("input", { type: "search", name: "text", placeholder: "Name, folder or id", autocomplete: "off", spellcheck: "false" });
  const queue = h("select", { name: "queue" });
  const worker = h("select", { name: "worker" });
  const batch = h("input", { name: "batch", readonly: true, "aria-label": "Batch" });
  const batchLabel = h("label", { hidden: true }, h("span", { class: "unseen" }, "Batch"), batch);
  /**
   * @param {string} words
   * @param {HTMLElement} control
   */
  const filter = (words, control) => h("label", {}, h("span", { class: "unseen" }, words), control);
  const health = h("select", { name: "health" }, h("option", { value: "" }, "Any health"), h("option", { value: "damaged" }, "Damaged"));
  const filters = h(
    "form",
    { class: "filters", role: "search" },
    filter("Name, folder or id", text),
    filter("Queue", queue),
    filter("Worker", worker),
    filter("Health", health),
    batchLabel,
    button("Clear", { type: "reset" }),
  );

  const chosen = h("strong", { class: "chosen", role: "status" });
  const verbs = {
    cancel: button("Cancel jobs", { "data-verb": "cancel", "data-tone": "bad", title: "Delete" }),
    retry: button("Try again", { "data-verb": "retry", title: "r" }),
    prioritise: button("Priority…", { "data-verb": "prioritise", title: "p" }),
    assign: button("Assign to a worker…", { "data-verb": "assign", title: "a" }),
    home: button("Back to its queue", { "data-verb": "home", title: "h" }),
    undo: button("Put originals back…", { "data-verb": "undo", "data-tone": "bad", title: "u" }),
  };
  const none = button("Clear selection", { "data-verb": "none" });
  const everything = button("", { "data-verb": "all" });
  const actions = h(
    "div",
    { class: "actions act", role: "toolbar", "aria-label": "Actions for the selected jobs" },
    chosen,
    ...Object.values(verbs),
    none,
    everything,
  );

  const all = h("input", { type: "checkbox", "aria-label": "Select all jobs of this page" });
  /**
   * @param {string} words
   * @param {string} sort
   * @param {string} [kind]
   */
  const sortable = (words, sort, kind) => h("th", { scope: "col", class: kind, "data-sort": sort }, h("button", { type: "button" }, words));
  const columns = [
    sortable("Name", "name"),
    h("th", { scope: "col" }, "State"),
    h("th", { scope: "col", class: "second" }, "Queue"),
    sortable("Priority", "priority", "number second"),
    h("th", { scope: "col", class: "second" }, "Worker"),
    sortable("Size", "size", "number second"),
    sortable("Enqueued", "enqueued", "number second"),
    sortable("Changed", "changed", "number third"),
  ];
  const head = h("thead", {}, h("tr", {}, h("th", { scope: "col" }, all), ...columns));
  const body = h("tbody");
  const table = h("table", { class: "sheet jobs" }, head, body);
  const empty = h("p", { class: "empty", hidden: true }, "No jobs match.");

  const summary = h("span", { class: "summary soft", role: "status" });
  const back = button("Previous", { "data-step": -1 });
  const forth = button("Next", { "data-step": 1 });
  const pager = h("p", { class: "pager line" }, summary, h("span", { class: "end" }, back, " ", forth));

  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "jobs-title" },
    h("h2", { id: "jobs-title" }, "Jobs ", listing),
    tabs,
    filters,
    actions,
    targets,
    h("div", { class: "scroll", role: "region", "aria-label": "Table of jobs", tabindex: 0 }, table),
    empty,
    pager,
  );
  return { element, listing, tabs, filters, text, queue, worker, health, batch, batchLabel, actions, chosen, verbs, none, everything, all, columns, head, body, empty, summary, back, forth };
}

/** @typedef {ReturnType<typeof skeleton>} Skeleton */
