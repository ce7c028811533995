// What a person should look at first: each cause once, with what to do.

import { standing } from "../control.js";
import { h, keyed, say, set } from "../dom.js";
import { ago, clockOff, count, plural, printable, sentence, time, told } from "../format.js";
import { address } from "../router.js";

const section = document.getElementById("attention");
const list = section.querySelector(".cautions");

/** Workers or queues that are named before they are only counted. */
const NAMED = 4;

/** `a, b and 3 more`. */
function listed(names) {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(", ")} and ${count(more)} more` : names.join(", ");
}

const jobs = (waiting) => waiting.reduce((sum, queue) => sum + queue.pending, 0);

/** `3 jobs wait`. */
const wait = (all) => `${plural(all, "job")} ${all === 1 ? "waits" : "wait"}`;

/** `3 jobs wait in libx264, copy`; empty where none does. */
const waits = (waiting) => (waiting.length ? `${wait(jobs(waiting))} in ${listed(waiting.map((held) => held.queue))}` : "");

const names = (workers) => listed(workers.map((row) => row.worker));

/** `Worker a is quarantined`, `2 workers are quarantined: a, b`. */
function who(workers, one, many) {
  return workers.length === 1 ? `Worker ${workers[0].worker} ${one}` : `${count(workers.length)} workers ${many}: ${names(workers)}`;
}

/** The earliest of the times at which something changes. */
const first = (workers) => workers.map((row) => row.until).filter(Boolean).sort()[0];

/** When a quarantined worker proves its encoders. */
export function nextTry(until, now) {
  return until ? `It proves its encoders again at ${time(until, now)}.` : "It is proving its encoders now.";
}

function quarantined({ workers, waiting }, now) {
  const reason = (row) => {
    const why = sentence(row.note ? told(row.note) : "too many jobs failed by its fault");
    return `${workers.length > 1 ? `${row.worker}: ` : ""}${why} ${nextTry(row.until, now)}`;
  };
  const held = waits(waiting);
  const [it, its] = workers.length === 1 ? ["It takes", "its"] : ["Each takes", "the worker's"];
  return [
    who(workers, "is quarantined", "are quarantined"),
    [
      held && `${held}.`,
      `${it} jobs again once its encoders pass. To have it take them now, lift the quarantine on ${its} card.`,
      ...workers.slice(0, NAMED).map(reason),
    ]
      .filter(Boolean)
      .join(" "),
  ];
}

function lost({ workers, waiting }, now) {
  const heard = workers.map((row) => row.last_seen).sort().at(-1);
  const running = workers.reduce((sum, row) => sum + row.running, 0);
  const theirs = workers.length === 1 ? "Its" : "Their";
  const had = running ? `${theirs} ${plural(running, "job")} will start elsewhere as soon as the lease runs out.` : "";
  const held = waits(waiting);
  return [
    who(workers, "has fallen silent", "have fallen silent"),
    [`Last heard of ${ago(heard, now)}.`, had, held && `${held}: start ${workers.length === 1 ? "it" : "one of them"} again.`].filter(Boolean).join(" "),
  ];
}

function drained({ workers, waiting }) {
  // Who drains without an order is stopping.
  const isOrdered = workers.some((row) => standing(`worker.${row.worker}`)?.paused);
  return isOrdered
    ? [who(workers, "is drained", "are drained"), `${waits(waiting)}. Resume ${workers.length === 1 ? "it on its card" : "one on its card"}, or start another worker.`]
    : [who(workers, "is stopping", "are stopping"), `${waits(waiting)}. Start ${workers.length === 1 ? "it again, or another worker" : "one of them again, or another"}.`];
}

function offHours({ workers, waiting }, now) {
  const begin = first(workers);
  const when = begin ? `${workers.length === 1 ? "Its" : "The first"} hours begin at ${time(begin, now)}.` : "";
  return [who(workers, "is off hours", "are off hours"), `${waits(waiting)}. ${when} Set other hours on ${workers.length === 1 ? "its" : "a"} card to start now.`];
}

const CAUSES = { quarantined, lost, drained, off_hours: offHours };

const unavailable = (item, now) => CAUSES[item.cause](item, now);

function unserved({ why, waiting }) {
  const all = jobs(waiting);
  const held = waiting.map(({ queue, pending, alternatives }) => {
    const instead = alternatives ? `; proved instead: ${alternatives.join(", ")}` : "";
    return waiting.length > 1 || instead ? `${queue} (${plural(pending, "job")}${instead})` : queue;
  });
  const queues = listed(held);
  const [it, jobsOrJob] = all === 1 ? ["it", "job"] : ["them", "jobs"];
  return {
    no_workers: [`${wait(all)}, and no worker is alive`, `In ${queues}. Start a worker: it takes ${it} by itself.`],
    not_proved: [`${wait(all)} for what no live worker has proved`, `In ${queues}. Start a worker that serves this, or enqueue with another encoder.`],
    not_there: [`${wait(all)} for a worker that is not there`, `In ${queues}. Start that worker, or assign the ${jobsOrJob} to another.`],
  }[why];
}

function failed(item, now) {
  const latest = item.count > 1 ? "The latest is " : "";
  return [
    `${plural(item.count, "job")} failed in the last day`,
    `${latest}${printable(item.name)}, ${ago(item.at, now)}: ${told(item.reason)}`,
  ];
}

function placeAway(item, now) {
  const who = item.workers === 1 ? `Worker ${item.worker}` : plural(item.workers, "worker");
  const cure = item.place.startsWith("s3:")
    ? "See whether the store runs, is reached from there, and takes their credentials"
    : "See whether the folder is there, and mounted";
  return [
    `${who} cannot reach ${printable(item.place)}`,
    `${cure}; jobs that need it wait until then. Since ${ago(item.since, now)}, ${item.worker} says: ${told(item.error)}`,
  ];
}

function clockIsOff(item) {
  return [
    `The clock of worker ${item.worker} is wrong`,
    `Its clock is ${clockOff(item.ahead)} the broker's: set it by NTP. Until then the farm goes by the broker's clock.`,
  ];
}

function unreadable(item) {
  const what = item.count === 1 ? "1 thing on the broker" : `${count(item.count)} things on the broker`;
  return [`${what} cannot be read and ${item.count === 1 ? "is" : "are"} left out`, `${printable(item.subject)}: ${printable(item.why)}`];
}

const WORDS = { unserved, unavailable, place_away: placeAway, clock_off: clockIsOff, unreadable, failed };

/** Where a person goes from there. */
const PLACES = {
  unserved: ({ waiting }) => address("jobs", { phases: "pending", queue: waiting.length === 1 ? waiting[0].queue : "" }),
  unavailable: () => address("workers"),
  place_away: () => address("workers"),
  clock_off: () => address("workers"),
  unreadable: () => address("broker"),
  failed: () => address("jobs", { phases: "failed", sort: "changed", descending: "true" }),
};

function caution(item) {
  const title = h("a", { class: "title" });
  const text = h("p", { class: "text" });
  const sign = h("span", { class: "sign", "aria-hidden": "true" }, item.kind === "failed" ? "✕" : "!");
  const element = h("li", { class: "caution", "data-kind": item.kind }, sign, title, text);
  return {
    element,
    update(item, now) {
      const [first, more] = WORDS[item.kind](item, now);
      say(title, first);
      set(title, "href", PLACES[item.kind](item));
      say(text, more);
      set(text, "title", more.length > 240 ? more : null);
    },
  };
}

export function attention({ attention }, now) {
  const items = attention.filter((item) => item.kind in WORDS);
  section.hidden = items.length === 0;
  keyed(list, items, (item) => `${item.kind} ${item.cause ?? item.why ?? item.place ?? item.worker ?? ""}`, caution, now);
}
