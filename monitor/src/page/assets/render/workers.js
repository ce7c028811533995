// Workers: who is there, how busy, and what each has proved.

import { askHours, lift, pause, standing } from "../control.js";
import { h, keyed, say, set } from "../dom.js";
import { ago, bytes, clockOff, count, duration, fps, percent, plural, printable, sentence, time, told } from "../format.js";
import { address } from "../router.js";
import { nextTry } from "./attention.js";
import { past } from "./past.js";

const section = document.getElementById("workers");
const list = section.querySelector(".cards");
const counter = section.querySelector(".count");
const empty = section.querySelector(".empty");

/** Encoders shown before the card is opened. */
const CHIPS = 6;
/** How a worker's state is said. */
const STATUS = { off_hours: "off hours", lost: "silent" };
/** Seconds by which a clock may be wrong before it is told. */
const CLOCK_OFF = 5;
/** Slots shown one by one; more are a number. */
const PIPS = 16;

function load(label) {
  const share = h("span", {});
  const meter = h("meter", { min: 0, max: 1, low: 0.9, high: 0.97, optimum: 0.5, "aria-label": label });
  const element = h("div", { class: "load" }, h("span", {}, label), share, meter);
  return {
    element,
    update(value) {
      say(share, percent(value));
      if (meter.value !== value) meter.value = value;
    },
  };
}

function chip(encoder) {
  const kind = encoder.kind === "software" ? "" : ` (${encoder.kind})`;
  return h(
    "li",
    { class: "chip", "data-hardware": kind !== "", title: `${encoder.name}${kind}: ${fps(encoder.fps)} at 1280×720` },
    h("span", { class: "mono" }, encoder.name),
    h("span", { class: "fps" }, count(Math.round(encoder.fps))),
    h("span", { class: "unseen" }, " fps"),
  );
}

function proofs(name, encoders) {
  const head = h("tr", {});
  for (const [label, kind] of [["Encoder"], ["Runs on"], ["fps at 720p", "number"], ["Largest"], ["Bits"], ["At once"]]) {
    head.append(h("th", { scope: "col", class: kind }, label));
  }
  const rows = encoders.map((encoder) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", class: "mono" }, encoder.name),
      h("td", {}, encoder.kind),
      h("td", { class: "number" }, count(Math.round(encoder.fps))),
      h("td", {}, encoder.largest.join("×")),
      h("td", {}, encoder.depths.join(", ")),
      h("td", {}, encoder.sessions === null ? "any" : String(encoder.sessions)),
    ),
  );
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Encoders that ${name} has proved` },
    h("table", { class: "card" }, h("thead", {}, head), h("tbody", {}, ...rows)));
}

function refusals(refused) {
  const entries = Object.entries(refused);
  if (entries.length === 0) return [];
  const items = entries.map(([name, reason]) =>
    h("li", {}, h("span", { class: "mono" }, name), h("span", { class: "soft" }, ` ${printable(reason)}`)),
  );
  return [h("details", {}, h("summary", {}, `${plural(items.length, "encoder")} that ffmpeg lists but cannot use here`), h("ul", { class: "refused" }, ...items))];
}

/** The parts that change with the card only. */
function cardParts(name, card) {
  const chips = card.encoders.slice(0, CHIPS).map(chip);
  if (card.encoders.length > CHIPS) {
    chips.push(h("li", { class: "chip" }, `+${card.encoders.length - CHIPS}`));
  }
  const host = `${card.host} · ${card.cpu}, ${plural(card.cores, "core")}, ${bytes(card.memory)} · ${card.os}`;
  const extras = [["Audio", card.audio], ["Filters", card.filters], ["Containers", card.muxers]]
    .filter(([, names]) => names.length > 0)
    .map(([label, names]) => h("p", { class: "host" }, `${label}: ${printable(names.join(", "))}`));
  const places = [["Reads and writes below", card.roots], ["Buckets", card.buckets]]
    .filter(([, names]) => names.length > 0)
    .map(([label, names]) => h("p", { class: "host places" }, `${label}: ${printable(names.join(", "))}`));
  const details = [
    h("p", { class: "host" }, printable(host)),
    ...places,
    proofs(name, card.encoders),
    ...extras,
    ...refusals(card.refused),
  ];
  return { chips, details };
}

/** Why a worker takes no jobs, and when that changes. */
function reason({ status, note, until }, now) {
  if (status === "quarantined") return `${sentence(told(note ?? ""))} ${nextTry(until, now)}`;
  if (!note) return "";
  return told(note) + (until ? ` until ${time(until, now)}` : "");
}

function trouble() {
  const element = h("li", {});
  return { element, update: ([, words]) => say(element, told(words)) };
}

function workerCard(row) {
  const status = h("span", { class: "status" });
  const busy = h("span", { class: "soft" });
  const pips = h("span", { class: "pips", "aria-hidden": "true" });
  const cpu = load("CPU");
  const memory = load("Memory");
  const scratch = h("span", {});
  const uptime = h("span", {});
  const chips = h("ul", { class: "chips", "aria-label": "Encoders" });
  const summary = h("summary", {});
  const details = h("div", {});
  const note = h("p", { class: "host" });
  const troubles = h("ul", { class: "troubles" });
  const lately = past(row.name);
  const jobs = h("a", { class: "button small", href: address("jobs", { worker: row.name }) }, "Jobs");
  const drain = h("button", { class: "button small act", type: "button" });
  const hours = h("button", { class: "button small act", type: "button" }, "Hours…");
  const target = `worker.${row.name}`;
  const healthy = h("button", { class: "button small act", type: "button" }, "Lift quarantine");
  healthy.addEventListener("click", () => lift(row.name));
  drain.addEventListener("click", () => pause(target, !standing(target)?.paused));
  hours.addEventListener("click", () => askHours(row.name));
  const element = h(
    "li",
    {},
    h(
      "div",
      { class: "line worker-line" },
      h("h3", { class: "worker-name", title: row.name }, row.name),
      status,
      h("span", { class: "end line" }, pips, busy),
    ),
    h("div", { class: "loads" }, cpu.element, memory.element, h("div", {}, scratch, h("br", {}), uptime)),
    note,
    troubles,
    chips,
    lately.element,
    h("p", { class: "worker-actions" }, jobs, healthy, drain, hours),
    h("details", {}, summary, details),
  );
  let shown = null;
  return {
    element,
    update(row, cards, now) {
      element.hidden = !isWanted(cards[row.name]);
      set(element, "data-status", row.status);
      set(status, "data-status", row.status);
      say(status, STATUS[row.status] ?? row.status);
      const isPaused = standing(target)?.paused === true;
      say(drain, isPaused ? "Resume" : "Drain");
      set(drain, "aria-label", `${isPaused ? "Resume" : "Drain"} ${row.name}`);
      healthy.hidden = row.status !== "quarantined";
      set(healthy, "aria-label", `Lift the quarantine of ${row.name}`);
      set(hours, "aria-label", `Hours of ${row.name}`);
      const order = standing(target)?.hours;
      const words = [reason(row, now), order ? `hours: ${order}` : ""];
      say(note, words.filter(Boolean).join(" · "));
      note.hidden = note.textContent === "";
      const wrong = row.away.map((away) => `cannot reach ${away.place} since ${ago(away.since, now)}: ${away.error}`);
      if (Math.abs(row.clock_ahead) > CLOCK_OFF) wrong.push(`its clock is ${clockOff(row.clock_ahead)} the broker's: set it by NTP`);
      troubles.hidden = wrong.length === 0;
      keyed(troubles, wrong.map((words, nth) => [nth, words]), ([nth]) => nth, trouble);
      say(busy, `${row.running.length} of ${plural(row.slots, "slot")}`);
      const slots = row.slots <= PIPS ? row.slots : 0;
      while (pips.children.length > slots) pips.lastChild.remove();
      while (pips.children.length < slots) pips.append(h("span", { class: "pip" }));
      [...pips.children].forEach((pip, slot) => pip.classList.toggle("busy", slot < row.running.length));
      cpu.update(row.cpu);
      memory.update(row.memory);
      say(scratch, `${bytes(row.scratch_free)} free`);
      // Who is there was heard within the last few heartbeats.
      const heard = row.last_seen ? Date.parse(row.last_seen) : now;
      const up = `up ${duration((heard - Date.parse(row.started)) / 1000)}`;
      say(uptime, row.last_seen ? `last seen ${ago(row.last_seen, now)} · ${up} then` : `${up} · last seen seconds ago`);
      lately.update();
      const card = cards[row.name];
      if (card && card !== shown) {
        const parts = cardParts(row.name, card);
        chips.replaceChildren(...parts.chips);
        details.replaceChildren(...parts.details);
        say(summary, `${plural(card.encoders.length, "encoder")} proved · ffmpeg ${printable(card.ffmpeg)}`);
        shown = card;
      }
    },
  };
}

/** Which cards are shown, by what their workers have proved. */
let isWanted = () => true;
let latest = null;

export function workers(state, now) {
  latest = [state, now];
  const { workers, cards } = state;
  empty.hidden = workers.length > 0;
  say(counter, workers.length ? count(workers.length) : "");
  keyed(list, workers, (row) => row.name, workerCard, cards, now);
}

/** Shows the workers whose cards are as wanted, until told otherwise; all where nothing is said. */
export function showOnly(wanted = () => true) {
  isWanted = wanted;
  if (latest) workers(...latest);
}
