// What a person should look at first.

import { h, keyed, say, set } from "../dom.js";
import { ago, clockOff, count, plural, printable } from "../format.js";
import { address } from "../router.js";

const section = document.getElementById("attention");
const list = section.querySelector(".cautions");

function unserved(item) {
  const verb = item.pending === 1 ? "waits" : "wait";
  const others = item.alternatives.length ? ` Proved instead: ${item.alternatives.join(", ")}.` : "";
  const why = {
    no_workers: "No worker is alive: start one, and it takes them by itself.",
    not_proved: `No live worker has proved what this queue needs.${others}`,
    draining: `The workers that could are draining: resume one, or start another.${others}`,
  };
  return [`${plural(item.pending, "job")} ${verb} in ${item.queue}, and nobody takes them`, why[item.why]];
}

function lost(item, now) {
  const jobs = item.running
    ? `Its ${plural(item.running, "job")} will start elsewhere as soon as the lease runs out.`
    : "It had no job.";
  return [`Worker ${item.worker} has fallen silent`, `Last heard of ${ago(item.last_seen, now)}. ${jobs}`];
}

function failed(item, now) {
  const latest = item.count > 1 ? "the latest is " : "";
  return [
    `${count(item.count)} ${item.count === 1 ? "job" : "jobs"} failed in the last day`,
    `${latest}${printable(item.name)}, ${ago(item.at, now)}: ${printable(item.reason)}`,
  ];
}

function quarantined(item) {
  const why = item.note ? `${printable(item.note)} ` : "";
  return [`Worker ${item.worker} is quarantined`, `${why}It proves its encoders again before it takes more jobs.`];
}

function placeAway(item, now) {
  const who = item.workers === 1 ? `Worker ${item.worker}` : plural(item.workers, "worker");
  const cure = item.place.startsWith("s3:")
    ? "See whether the store runs, is reached from there, and takes their credentials"
    : "See whether the folder is there, and mounted";
  return [
    `${who} cannot reach ${printable(item.place)}`,
    `${cure}; jobs that need it wait until then. Since ${ago(item.since, now)}, ${item.worker} says: ${printable(item.error)}`,
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

const WORDS = { unserved, worker_lost: lost, quarantined, place_away: placeAway, clock_off: clockIsOff, unreadable, failed };

/** Where a person goes from there. */
const PLACES = {
  unserved: (item) => address("jobs", { phases: "pending", queue: item.queue }),
  worker_lost: () => address("workers"),
  quarantined: () => address("workers"),
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
  keyed(list, items, (item) => `${item.kind} ${item.place ?? item.queue ?? item.worker ?? ""}`, caution, now);
}
