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
  const said = item.workers > 1 ? `${item.worker} says` : "It says";
  const cure = item.place.startsWith("s3:")
    ? "See that the store runs, that those machines reach it, and that their credentials are good"
    : "See that the folder is there and mounted on those machines";
  return [
    `${item.workers === 1 ? `Worker ${item.worker}` : plural(item.workers, "worker")} cannot reach ${printable(item.place)}`,
    `Since ${ago(item.since, now)}. ${said}: ${printable(item.error)}. Jobs that need it wait. ${cure}; workers go on by themselves once they reach it.`,
  ];
}

function clockIsOff(item) {
  return [
    `The clock of worker ${item.worker} is wrong`,
    `Its clock is ${clockOff(item.ahead)} the broker's: set it by NTP. Until then the farm goes by the broker's clock.`,
  ];
}

const WORDS = { unserved, worker_lost: lost, quarantined, place_away: placeAway, clock_off: clockIsOff, failed };

/** Where a person goes from there. */
const PLACES = {
  unserved: (item) => address("jobs", { phases: "pending", queue: item.queue }),
  worker_lost: () => address("workers"),
  quarantined: () => address("workers"),
  place_away: () => address("workers"),
  clock_off: () => address("workers"),
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
