// @ts-check
// One worker: how busy it is, what it has proved, and its orders.

/** @import { CardRow, History, State, WorkerRow } from "#types" */

import { button, h, keyedList, say, set } from "../../lib/dom.js";
import { ago, bytes, clockOff, duration, localTimes, percent, plural, printable, sentence, time } from "../../lib/format.js";
import { address } from "../../lib/router.js";
import { holdOf } from "../../orders/holds.js";
import { capabilityDetails, encoderChips } from "./capabilities.js";
import { workerLastDay } from "./last-day.js";

/** How a worker's state is said. */
const STATUS = new Map([["off_hours", "off hours"], ["lost", "not responding"]]);
/** Seconds by which a clock may be wrong before it is told. */
const CLOCK_OFF = 5;
/** Slots shown one by one; more are a number. */
const PIPS = 16;

/**
 * When a quarantined worker proves its encoders.
 * @param {string | null | undefined} until
 * @param {number} now
 */
export const nextProof = (until, now) =>
  until ? `It proves its encoders again at ${time(until, now)}.` : "It is proving its encoders now.";

/**
 * Why a worker takes no jobs, and when that changes.
 * @param {WorkerRow} row
 * @param {number} now
 */
function reason({ status, note, until }, now) {
  if (status === "quarantined") return `${sentence(localTimes(note ?? ""))} ${nextProof(until, now)}`;
  if (!note) return "";
  return localTimes(note) + (until ? ` until ${time(until, now)}` : "");
}

/** @param {string} label */
function load(label) {
  const share = h("span");
  const meter = h("meter", { min: 0, max: 1, low: 0.9, high: 0.97, optimum: 0.5, "aria-label": label });
  return {
    element: h("div", { class: "load" }, h("span", {}, label), share, meter),
    /** @param {number} value */
    update(value) {
      say(share, percent(value));
      if (meter.value !== value) meter.value = value;
    },
  };
}

/** The length of a job's id; that of a part goes on with the name of the part. */
const ID = 36;

/**
 * What a worker runs: a job, or a part of one.
 * @param {string} id
 * @param {State} state
 */
function work(id, { running }) {
  const whole = id.slice(0, ID);
  const job = running.find(({ job }) => job.id === whole)?.job;
  return `${job ? printable(job.name) : whole}${id.slice(ID).replaceAll("-", " ")}`;
}

function slots() {
  const element = h("span", { class: "pips", "aria-hidden": "true" });
  return {
    element,
    /** @param {WorkerRow} row */
    update({ slots, running }) {
      const shown = slots <= PIPS ? slots : 0;
      while (element.children.length > shown) element.lastChild?.remove();
      while (element.children.length < shown) element.append(h("span", { class: "pip" }));
      [...element.children].forEach((pip, slot) => pip.classList.toggle("busy", slot < running.length));
    },
  };
}

/** What is wrong with a worker's surroundings, a line each. */
function troubles() {
  const element = h("ul", { class: "troubles" });
  const update = keyedList(
    element,
    (/** @type {[number, string]} */ [nth]) => nth,
    () => {
      const element = h("li");
      return { element, update: (/** @type {[number, string]} */ [, words]) => say(element, localTimes(words)) };
    },
  );
  return {
    element,
    /**
     * @param {WorkerRow} row
     * @param {number} now
     */
    update({ away, clock_ahead: ahead }, now) {
      const wrong = away.map(({ place, since, error }) => `Cannot reach ${place} since ${ago(since, now)}: ${error}`);
      if (Math.abs(ahead) > CLOCK_OFF) wrong.push(`Its clock is ${clockOff(ahead)} the broker's: set it by NTP`);
      element.hidden = wrong.length === 0;
      update(wrong.map((words, nth) => [nth, words]));
    },
  };
}

/**
 * @typedef {object} CardOrders
 * @property {(target: string, isPaused: boolean) => void} pause
 * @property {(worker: string) => void} askHours
 * @property {(worker: string) => void} liftQuarantine
 */

/**
 * The buttons below a card.
 * @param {string} name
 * @param {CardOrders} orders
 */
function actions(name, orders) {
  const target = `worker.${name}`;
  let isPaused = false;
  const healthy = button("Lift quarantine", { class: "button small act", "aria-label": `Lift the quarantine of ${name}` });
  const drain = button("Drain", { class: "button small act" });
  const hours = button("Hours…", { class: "button small act", "aria-label": `Hours of ${name}` });
  healthy.addEventListener("click", () => orders.liftQuarantine(name));
  drain.addEventListener("click", () => orders.pause(target, !isPaused));
  hours.addEventListener("click", () => orders.askHours(name));
  const jobs = h("a", { class: "button small", href: address("jobs", { worker: name }) }, "Jobs");
  return {
    element: h("p", { class: "worker-actions" }, jobs, healthy, drain, hours),
    /**
     * @param {WorkerRow} row
     * @param {boolean} isHeld
     */
    update({ status }, isHeld) {
      isPaused = isHeld;
      const verb = isPaused ? "Resume" : "Drain";
      say(drain, verb);
      set(drain, "aria-label", `${verb} ${name}`);
      healthy.hidden = status !== "quarantined";
    },
  };
}

/**
 * A worker's card.
 * @param {string} name
 * @param {CardOrders} orders
 */
export function workerCard(name, orders) {
  const status = h("span", { class: "status" });
  const busy = h("span", { class: "soft" });
  const pips = slots();
  const cpu = load("CPU");
  const memory = load("Memory");
  const scratch = h("span");
  const uptime = h("span");
  const note = h("p", { class: "host" });
  const wrong = troubles();
  const chips = h("ul", { class: "chips", "aria-label": "Encoders" });
  const lastDay = workerLastDay(name);
  const buttons = actions(name, orders);
  const summary = h("summary");
  const details = h("div");
  const element = h(
    "li",
    {},
    h("div", { class: "line worker-line" }, h("h3", { class: "worker-name", title: name }, name), status, h("span", { class: "end line" }, pips.element, busy)),
    h("div", { class: "loads" }, cpu.element, memory.element, h("div", {}, scratch, h("br"), uptime)),
    note,
    wrong.element,
    chips,
    lastDay.element,
    buttons.element,
    h("details", {}, summary, details),
  );
  /** @type {CardRow | undefined} */
  let shown;

  return {
    element,
    /**
     * @param {WorkerRow} row
     * @param {State} state
     * @param {History | null} day
     * @param {number} now
     */
    update(row, state, day, now) {
      const hold = holdOf(state, `worker.${name}`);
      set(element, "data-status", row.status);
      set(status, "data-status", row.status);
      say(status, STATUS.get(row.status) ?? row.status);
      buttons.update(row, hold?.paused === true);
      say(note, [reason(row, now), hold?.hours ? `hours: ${hold.hours}` : ""].filter(Boolean).join(" · "));
      note.hidden = note.textContent === "";
      wrong.update(row, now);
      say(busy, `${row.running.length} of ${plural(row.slots, "slot")}`);
      set(busy, "title", row.running.map((id) => work(id, state)).join("\n") || null);
      pips.update(row);
      cpu.update(row.cpu);
      memory.update(row.memory);
      say(scratch, `${bytes(row.scratch_free)} free`);
      // A worker that responds was heard within the last few heartbeats.
      const seen = row.last_seen ? Date.parse(row.last_seen) : now;
      const up = `up ${duration((seen - Date.parse(row.started)) / 1000)}`;
      say(uptime, row.last_seen ? `last seen ${ago(row.last_seen, now)} · ${up} then` : `${up} · last seen seconds ago`);
      lastDay.update(day);
      const card = state.cards[name];
      if (card && card !== shown) {
        shown = card;
        chips.replaceChildren(...encoderChips(card));
        details.replaceChildren(...capabilityDetails(name, card));
        say(summary, `${plural(card.encoders.length, "encoder")} proved · ffmpeg ${printable(card.ffmpeg)}`);
      }
    },
  };
}
