// Queues: what waits, and who would take it.

import { h, keyed, say, set } from "../dom.js";
import { pause } from "../control.js";
import { age, count, duration } from "../format.js";
import { address } from "../router.js";

const section = document.getElementById("queues");
const table = section.querySelector("table");
const body = section.querySelector("tbody");
const counter = section.querySelector(".count");
const empty = section.querySelector(".empty");

/** Why no worker takes the jobs of a queue. */
export const UNSERVED = {
  paused: "paused",
  quarantined: "workers quarantined",
  drained: "workers drained",
  off_hours: "workers off hours",
  lost: "workers silent",
  not_there: "its worker is not there",
  no_workers: "no worker alive",
  not_proved: "no worker proved it",
};

/** What the name of a queue means, where it is no encoder's. */
function meaning(queue) {
  if (queue === "copy") return "no encoding";
  if (queue.startsWith("any_")) return `best proved ${queue.slice(4)} encoder`;
  if (queue.startsWith("on_")) return `on ${queue.slice(3)} only`;
  return "";
}

/** A queue's name, which may break after an underscore and nowhere else. */
function token(queue) {
  const pieces = queue.split(/(?<=_)/);
  return h("span", { class: "mono" }, ...pieces.flatMap((piece, at) => (at ? [h("wbr"), piece] : [piece])));
}

/** Pending jobs by priority, where that says more than their sum. */
function priorities(row) {
  const isPlain = row.by_priority.length === 0 || (row.by_priority.length === 1 && row.by_priority[0][0] === 5);
  return isPlain ? "" : row.by_priority.map(([priority, jobs]) => `${count(jobs)} at prio ${priority}`).join(", ");
}

function queueRow(row) {
  const sub = h("span", { class: "sub" });
  const pending = h("td", { class: "number pending" });
  const running = h("td", { class: "number" });
  const oldest = h("td", { class: "number" });
  const served = h("td", { class: "number served" });
  const link = h("a", { href: address("jobs", { phases: "pending", queue: row.queue }) }, token(row.queue));
  const button = h("button", { class: "button small", type: "button" });
  const name = h("th", { scope: "row", title: row.queue }, link, sub);
  const element = h("tr", {}, name, pending, running, oldest, served, h("td", { class: "act" }, button));
  let isPaused = false;
  button.addEventListener("click", () => pause(`queue.${row.queue}`, !isPaused));
  const number = (cell, value) => {
    say(cell, count(value));
    cell.classList.toggle("zero", value === 0);
  };
  return {
    element,
    update(row, now) {
      isPaused = row.paused;
      say(button, row.paused ? "Resume" : "Pause");
      set(button, "aria-label", `${row.paused ? "Resume" : "Pause"} the queue ${row.queue}`);
      const left = row.eta === null ? "" : `done in about ${duration(row.eta)}`;
      const words = [row.unserved ? UNSERVED[row.unserved] : row.paused ? "paused" : "", meaning(row.queue), priorities(row), left].filter(Boolean).join(" · ");
      say(sub, words);
      set(sub, "title", words || null);
      number(pending, row.pending);
      number(running, row.running);
      number(served, row.served_by);
      say(oldest, row.oldest ? age(row.oldest, now) : "");
      const more = row.served_by - row.servers.length;
      set(served, "title", row.servers.length ? row.servers.join(", ") + (more > 0 ? ` and ${more} more` : "") : "no worker");
      set(element, "data-unserved", row.unserved !== null);
    },
  };
}

export function queues({ queues }, now) {
  // Lanes stay for good once they were made: those without work are no news.
  const busy = queues.filter((row) => row.pending > 0 || row.running > 0 || row.paused);
  table.hidden = busy.length === 0;
  empty.hidden = busy.length > 0;
  const idle = queues.length - busy.length;
  say(counter, [busy.length || "", idle ? `${idle} idle` : ""].filter(Boolean).join(" · "));
  keyed(body, busy, (row) => row.queue, queueRow, now);
}
