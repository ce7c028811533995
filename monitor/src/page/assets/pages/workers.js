// Which worker has proved what, on one sheet, and who can do what is asked.

import { h, say } from "../dom.js";
import { count, fps, plural } from "../format.js";
import { lastDay } from "../past.js";
import { showOnly } from "../render/workers.js";
import { refine } from "../router.js";
import { watch } from "../state.js";
import { able, allExtras, asksForAnything, asksForEncoder, suits } from "./able.js";

const page = document.querySelector('[data-page="workers"]');
const table = page.querySelector("table");
const filters = page.querySelector(".filters");
const matches = page.querySelector(".matches");
const choices = page.querySelector("datalist");
const cards = document.getElementById("workers");
const slot = page.querySelector(".slot");

/** What is asked for, as the address has it. */
const FIELDS = ["encoder", "bits", "largest", "on", "also"];

let asked = {};

/** Encoders of all cards, proved ones first, then by name. */
function encoders(cards) {
  const found = new Map();
  for (const card of Object.values(cards)) {
    for (const encoder of card.encoders) found.set(encoder.name, encoder);
    for (const name of Object.keys(card.refused)) if (!found.has(name)) found.set(name, null);
  }
  return [...found.keys()].sort((a, b) => (found.get(a) === null) - (found.get(b) === null) || a.localeCompare(b));
}

let drawn = null;

function draw({ cards: known, workers }) {
  const extras = allExtras(known);
  const isAble = (card) => card !== undefined && able(card, asked, extras);
  const names = workers.map((row) => row.name).filter((name) => isAble(known[name]));
  const isOneAble = (encoder) => names.some((name) => known[name].encoders.some((proof) => proof.name === encoder && suits(proof, asked)));
  const rows = encoders(known).filter((encoder) => !asksForEncoder(asked) || isOneAble(encoder));
  say(matches, asksForAnything(asked) ? `${count(names.length)} of ${plural(workers.length, "worker")} can do this` : plural(workers.length, "worker"));
  const shape = JSON.stringify([names, rows, asked]);
  if (drawn?.known === known && drawn.shape === shape) return;
  if (drawn?.known !== known) choices.replaceChildren(...extras.map((name) => h("option", { value: name })));
  drawn = { known, shape };
  const head = h("tr", {}, h("th", { scope: "col" }, "Encoder"), ...names.map((name) => h("th", { scope: "col", class: "number" }, name)));
  table.hidden = names.length === 0 || rows.length === 0;
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(
    ...rows.map((encoder) => h("tr", {}, h("th", { scope: "row", class: "mono" }, encoder), ...names.map((name) => cell(known[name], encoder)))),
  );
  showOnly(isAble);
}

function cell(card, encoder) {
  const proof = card.encoders.find((row) => row.name === encoder);
  if (proof) {
    const words = `${fps(proof.fps)} at 1280×720, up to ${proof.largest.join("×")}, ${proof.depths.join(" and ")} bit`;
    return suits(proof, asked)
      ? h("td", { class: "number proved", title: words }, count(Math.round(proof.fps)))
      : h("td", { class: "number soft", title: `proved, but not as asked: ${words}` }, "–");
  }
  const reason = card.refused[encoder];
  return reason
    ? h("td", { class: "number refused-here", title: reason }, "no")
    : h("td", { class: "number soft", title: "not in its ffmpeg" }, "–");
}

let latest = null;

/** What is asked for is now this, by each field's name. */
function want(valueOf) {
  asked = Object.fromEntries(FIELDS.map((name) => [name, valueOf(name)]));
  if (latest) draw(latest);
}

filters.addEventListener("input", () => {
  want((name) => filters.elements[name].value);
  refine("workers", asked);
});
filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("reset", () => {
  want(() => "");
  refine("workers", asked);
});

/** The page is shown: the workers' cards move here, and back when it is left. */
export function workersPage({ query }) {
  const home = cards.parentElement;
  slot.append(cards);
  drawn = null;
  for (const name of FIELDS) {
    const field = filters.elements[name];
    field.value = query.get(name) ?? "";
    // An address may ask for a choice that there is not.
    if (field.selectedIndex === -1) field.selectedIndex = 0;
  }
  want((name) => filters.elements[name].value);
  const stops = [
    lastDay(),
    watch((state) => {
      latest = state;
      draw(state);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
    latest = null;
    showOnly();
    home.append(cards);
  };
}
