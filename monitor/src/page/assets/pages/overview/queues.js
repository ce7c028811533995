// @ts-check
// Queues: what waits, and who would take it.

/** @import { Deps, QueueRow, Row, State } from "#types" */

import { button, h, keyedList, say, set, tableHead } from "../../lib/dom.js";
import { age, count, duration, plural } from "../../lib/format.js";
import { address } from "../../lib/router.js";
import { holdOrders } from "../../orders/holds.js";
import { UNSERVED } from "./unserved.js";

/**
 * What the name of a queue means, where it is no encoder's.
 * @param {string} queue
 */
function meaning(queue) {
  if (queue === "copy") return "no encoding";
  if (queue.startsWith("any_")) return `best proved ${queue.slice(4)} encoder`;
  if (queue.startsWith("on_")) return `on ${queue.slice(3)} only`;
  return "";
}

/**
 * A queue's name, which may break after an underscore and nowhere else.
 * @param {string} queue
 */
function token(queue) {
  const pieces = queue.split(/(?<=_)/);
  return h("span", { class: "mono" }, ...pieces.flatMap((piece, at) => (at ? [h("wbr"), piece] : [piece])));
}

/**
 * Pending jobs by priority, where that says more than their sum.
 * @param {QueueRow} row
 */
function priorities({ by_priority: jobs }) {
  const isPlain = jobs.every(([priority]) => priority === 5);
  return isPlain ? "" : jobs.map(([priority, jobs]) => `${count(jobs)} at prio ${priority}`).join(", ");
}

/**
 * @param {QueueRow} first
 * @param {ReturnType<typeof holdOrders>} orders
 * @returns {Row<QueueRow, [number]>}
 */
function queueRow({ queue }, orders) {
  const sub = h("span", { class: "sub" });
  const pending = h("td", { class: "number pending" });
  const running = h("td", { class: "number" });
  const oldest = h("td", { class: "number" });
  const served = h("td", { class: "number served" });
  const link = h("a", { href: address("jobs", { state: "pending", queue }) }, token(queue));
  const pause = button("Pause", { class: "button small" });
  const name = h("th", { scope: "row", title: queue }, link, sub);
  const element = h("tr", {}, name, pending, running, oldest, served, h("td", { class: "act" }, pause));
  let isPaused = false;
  pause.addEventListener("click", () => orders.pause(`queue.${queue}`, !isPaused));
  /**
   * @param {Element} cell
   * @param {number} value
   */
  const number = (cell, value) => {
    say(cell, count(value));
    cell.classList.toggle("zero", value === 0);
  };
  return {
    element,
    update(row, now) {
      isPaused = row.paused;
      const verb = row.paused ? "Resume" : "Pause";
      say(pause, verb);
      set(pause, "aria-label", `${verb} the queue ${queue}`);
      const left = typeof row.eta === "number" ? `done in about ${duration(row.eta)}` : "";
      const held = row.unserved ? UNSERVED[row.unserved] : row.paused ? "paused" : "";
      const words = [held, meaning(queue), priorities(row), left].filter(Boolean).join(" · ");
      say(sub, words);
      set(sub, "title", words || null);
      number(pending, row.pending);
      set(pending, "title", row.parts ? `${plural(row.parts, "part")} of split jobs` : null);
      number(running, row.running);
      number(served, row.served_by);
      say(oldest, row.oldest ? age(row.oldest, now) : "");
      const more = row.served_by - row.servers.length;
      set(served, "title", row.servers.length ? row.servers.join(", ") + (more > 0 ? ` and ${count(more)} more` : "") : "no worker");
      set(element, "data-unserved", Boolean(row.unserved));
    },
  };
}

/** @param {Deps} deps */
export function queues(deps) {
  const counter = h("span", { class: "count" });
  const body = h("tbody");
  const head = tableHead([["Queue"], ["Pending", "number"], ["Running", "number"], ["Oldest", "number"], ["Workers", "number"]]);
  head.firstElementChild?.append(h("th", { scope: "col", class: "act" }, h("span", { class: "unseen" }, "Actions")));
  const table = h("table", { class: "queues" }, head, body);
  const empty = h("p", { class: "empty", hidden: true }, "No queue has work.");
  const element = h(
    "section",
    { class: "panel", id: "queues", "aria-labelledby": "queues-title", tabindex: -1 },
    h("h2", { id: "queues-title" }, "Queues ", counter),
    table,
    empty,
  );
  const orders = holdOrders(deps);
  const update = keyedList(body, (row) => row.queue, (/** @type {QueueRow} */ row) => queueRow(row, orders));
  return {
    element,
    /**
     * @param {State} state
     * @param {number} now
     */
    update({ queues }, now) {
      // Lanes stay once they were made: those without work are no news.
      const busy = queues.filter((row) => row.pending > 0 || row.running > 0 || row.paused);
      table.hidden = busy.length === 0;
      empty.hidden = busy.length > 0;
      const idle = queues.length - busy.length;
      say(counter, [busy.length || "", idle ? `${idle} idle` : ""].filter(Boolean).join(" · "));
      update(busy, now);
    },
  };
}
