// @ts-check
// What a person should look at first: each cause once, with what to do.

/** @import { Attention, Row, State, Unavailable, WaitingJobs } from "#types" */

import { h, keyedList, say, set } from "../../lib/dom.js";
import { ago, clockOff, count, localTimes, plural, printable, sentence, time } from "../../lib/format.js";
import { address } from "../../lib/router.js";
import { holdOf } from "../../orders/holds.js";
import { nextProof } from "../../widgets/workers/card.js";

/** Workers or queues that are named before they are only counted. */
const NAMED = 4;

/**
 * @template {Attention["kind"]} K
 * @typedef {Extract<Attention, { kind: K }>} Of
 */
/** @typedef {[title: string, text: string]} Words */
/** @typedef {{ now: number, state: State }} Context */

/**
 * `a, b and 3 more`.
 * @param {string[]} names
 */
function listed(names) {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(", ")} and ${count(more)} more` : names.join(", ");
}

/** @param {WaitingJobs[]} waiting */
const jobsOf = (waiting) => waiting.reduce((sum, queue) => sum + queue.pending, 0);

/**
 * `3 jobs wait`.
 * @param {number} all
 */
const wait = (all) => `${plural(all, "job")} ${all === 1 ? "waits" : "wait"}`;

/**
 * `3 jobs wait in libx265, copy`; empty where none does.
 * @param {WaitingJobs[]} waiting
 */
const waits = (waiting) => (waiting.length ? `${wait(jobsOf(waiting))} in ${listed(waiting.map((held) => held.queue))}` : "");

/**
 * `Worker a is quarantined`, `2 workers are quarantined: a, b`.
 * @param {Unavailable[]} workers
 * @param {string} one
 * @param {string} many
 */
function who(workers, one, many) {
  const names = workers.map((row) => row.worker);
  return names.length === 1 ? `Worker ${names[0]} ${one}` : `${count(names.length)} workers ${many}: ${listed(names)}`;
}

/**
 * @param {Of<"unavailable">} item
 * @param {Context} context
 * @returns {Words}
 */
function quarantined({ workers, waiting }, { now }) {
  /** @param {Unavailable} row */
  const reason = (row) => {
    const why = sentence(row.note ? localTimes(row.note) : "too many jobs failed by its fault");
    return `${workers.length > 1 ? `${row.worker}: ` : ""}${why} ${nextProof(row.until, now)}`;
  };
  const held = waits(waiting);
  const [it, its] = workers.length === 1 ? ["It takes", "its"] : ["Each takes", "the worker's"];
  const cure = `${it} jobs again once its encoders pass. To have it take them now, lift the quarantine on ${its} card.`;
  return [
    who(workers, "is quarantined", "are quarantined"),
    [held && `${held}.`, cure, ...workers.slice(0, NAMED).map(reason)].filter(Boolean).join(" "),
  ];
}

/**
 * @param {Of<"unavailable">} item
 * @param {Context} context
 * @returns {Words}
 */
function lost({ workers, waiting }, { now }) {
  const seen = workers.flatMap((row) => row.last_seen ?? []).sort().at(-1);
  const running = workers.reduce((sum, row) => sum + row.running, 0);
  const theirs = workers.length === 1 ? "Its" : "Their";
  const had = running ? `${theirs} ${plural(running, "job")} will start elsewhere as soon as the lease runs out.` : "";
  const held = waits(waiting);
  const cure = held && `${held}: start ${workers.length === 1 ? "it" : "one of them"} again.`;
  return [
    who(workers, "is not responding", "are not responding"),
    [seen ? `Last seen ${ago(seen, now)}.` : "", had, cure].filter(Boolean).join(" "),
  ];
}

/**
 * @param {Of<"unavailable">} item
 * @param {Context} context
 * @returns {Words}
 */
function drained({ workers, waiting }, { state }) {
  const isOne = workers.length === 1;
  // A worker that drains without an order is stopping.
  const isOrdered = workers.some((row) => holdOf(state, `worker.${row.worker}`)?.paused);
  return isOrdered
    ? [who(workers, "is drained", "are drained"), `${waits(waiting)}. Resume ${isOne ? "it on its card" : "one on its card"}, or start another worker.`]
    : [who(workers, "is stopping", "are stopping"), `${waits(waiting)}. Start ${isOne ? "it again, or another worker" : "one of them again, or another"}.`];
}

/**
 * @param {Of<"unavailable">} item
 * @param {Context} context
 * @returns {Words}
 */
function offHours({ workers, waiting }, { now }) {
  const begin = workers.flatMap((row) => row.until ?? []).sort()[0];
  const when = begin ? `${workers.length === 1 ? "Its" : "The first"} hours begin at ${time(begin, now)}.` : "";
  return [
    who(workers, "is off hours", "are off hours"),
    `${waits(waiting)}. ${when} Set other hours on ${workers.length === 1 ? "its" : "a"} card to start now.`,
  ];
}

/** @type {Map<string, (item: Of<"unavailable">, context: Context) => Words>} */
const CAUSES = new Map([["quarantined", quarantined], ["lost", lost], ["drained", drained], ["off_hours", offHours]]);

/**
 * @param {Of<"unserved">} item
 * @returns {Words | null}
 */
function unserved({ why, waiting }) {
  const all = jobsOf(waiting);
  const held = waiting.map(({ queue, pending, alternatives }) => {
    const instead = alternatives ? `; proved instead: ${alternatives.join(", ")}` : "";
    return waiting.length > 1 || instead ? `${queue} (${plural(pending, "job")}${instead})` : queue;
  });
  const queues = listed(held);
  const [it, jobs] = all === 1 ? ["it", "job"] : ["them", "jobs"];
  switch (why) {
    case "no_workers":
      return [`${wait(all)}, and no worker is alive`, `In ${queues}. Start a worker: it takes ${it} by itself.`];
    case "not_proved":
      return [
        `${wait(all)} for an encoder that no live worker has proved`,
        `In ${queues}. Start a worker that serves this, or enqueue with another encoder.`,
      ];
    case "not_there":
      return [`${wait(all)} for a worker that is not there`, `In ${queues}. Start that worker, or assign the ${jobs} to another.`];
    default:
      return null;
  }
}

/**
 * @param {Of<"failed">} item
 * @param {Context} context
 * @returns {Words}
 */
function failed({ count: all, name, at, reason }, { now }) {
  const latest = all > 1 ? "The latest is " : "";
  return [`${plural(all, "job")} failed in the last day`, `${latest}${printable(name)}, ${ago(at, now)}: ${localTimes(reason)}`];
}

/**
 * @param {Of<"place_away">} item
 * @param {Context} context
 * @returns {Words}
 */
function placeAway({ place, workers, worker, since, error }, { now }) {
  const cure = place.startsWith("s3:")
    ? "See whether the store runs, is reached from there, and takes their credentials"
    : "See whether the folder is there, and mounted";
  return [
    `${workers === 1 ? `Worker ${worker}` : plural(workers, "worker")} cannot reach ${printable(place)}`,
    `${cure}; jobs that need it wait until then. Since ${ago(since, now)}, ${worker} says: ${localTimes(error)}`,
  ];
}

/**
 * What an alarm says; nothing for one that this page does not know.
 * @param {Attention} item
 * @param {Context} context
 * @returns {Words | null}
 */
function wordsOf(item, context) {
  switch (item.kind) {
    case "unserved":
      return unserved(item);
    case "unavailable":
      return CAUSES.get(item.cause)?.(item, context) ?? null;
    case "place_away":
      return placeAway(item, context);
    case "clock_off":
      return [
        `The clock of worker ${item.worker} is wrong`,
        `Its clock is ${clockOff(item.ahead)} the broker's: set it by NTP. Until then the farm goes by the broker's clock.`,
      ];
    case "unreadable":
      return [
        item.count === 1 ? "1 thing on the broker cannot be read and is left out" : `${count(item.count)} things on the broker cannot be read and are left out`,
        `${printable(item.subject)}: ${printable(item.why)}`,
      ];
    case "failed":
      return failed(item, context);
    default:
      return null;
  }
}

/**
 * Where a person goes from there.
 * @param {Attention} item
 */
function addressOf(item) {
  if (item.kind === "unserved") return address("jobs", { state: "pending", queue: item.waiting.length === 1 ? item.waiting[0]?.queue : "" });
  if (item.kind === "failed") return address("jobs", { state: "failed", sort: "changed", descending: "true" });
  return address(item.kind === "unreadable" ? "broker" : "workers");
}

/**
 * What makes an alarm the same as before.
 * @param {Attention} item
 */
function keyOf(item) {
  const about = { unserved: "why", unavailable: "cause", place_away: "place", clock_off: "worker", unreadable: "subject", failed: "kind" }[item.kind];
  return `${item.kind} ${/** @type {Record<string, unknown>} */ (item)[about]}`;
}

/**
 * @param {Attention} first
 * @returns {Row<Attention, [Context]>}
 */
function caution({ kind }) {
  const title = h("a", { class: "title" });
  const text = h("p", { class: "text" });
  const sign = h("span", { class: "sign", "aria-hidden": "true" }, kind === "failed" ? "✕" : "!");
  return {
    element: h("li", { class: "caution", "data-kind": kind }, sign, title, text),
    update(item, context) {
      const [first, more] = wordsOf(item, context) ?? ["", ""];
      say(title, first);
      set(title, "href", addressOf(item));
      say(text, more);
      set(text, "title", more.length > 240 ? more : null);
    },
  };
}

export function attention() {
  const list = h("ul", { class: "cautions" });
  const element = h(
    "section",
    { class: "attention", id: "attention", "aria-labelledby": "attention-title", hidden: true },
    h("h2", { class: "unseen", id: "attention-title" }, "Needs attention"),
    list,
  );
  const updateRows = keyedList(list, keyOf, caution);
  return {
    element,
    /**
     * @param {State} state
     * @param {number} now
     */
    update(state, now) {
      const context = { now, state };
      const items = state.attention.filter((item) => wordsOf(item, context));
      element.hidden = items.length === 0;
      updateRows(items, context);
    },
  };
}
