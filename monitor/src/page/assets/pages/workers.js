// Which worker has proved what, on one sheet.

import { h } from "../dom.js";
import { count, fps } from "../format.js";
import { watch } from "../state.js";

const page = document.querySelector('[data-page="workers"]');
const table = page.querySelector("table");
const filter = page.querySelector("input");
const cards = document.getElementById("workers");
const slot = page.querySelector(".slot");

/** Encoders of all cards, hardware first, then by name. */
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
  const words = filter.value.trim().toLowerCase();
  const wanted = (name) => name.toLowerCase().includes(words);
  const names = workers.map((row) => row.name).filter((name) => name in known);
  const columns = encoders(known).filter(wanted);
  const shape = JSON.stringify([names, columns]);
  if (drawn?.known === known && drawn.shape === shape) return;
  drawn = { known, shape };
  const head = h("tr", {}, h("th", { scope: "col" }, "Encoder"), ...names.map((name) => h("th", { scope: "col", class: "number" }, name)));
  const rows = columns.map((encoder) =>
    h("tr", {}, h("th", { scope: "row", class: "mono" }, encoder), ...names.map((name) => cell(known[name], encoder))),
  );
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...rows);
  // The cards below are filtered by the same word.
  for (const card of cards.querySelectorAll(".cards > li")) {
    const name = card.querySelector(".worker-name").textContent;
    card.hidden = words !== "" && !known[name]?.encoders.some((encoder) => wanted(encoder.name));
  }
}

function cell(card, encoder) {
  const proof = card.encoders.find((row) => row.name === encoder);
  if (proof) {
    const words = `${fps(proof.fps)} at 1280×720, up to ${proof.largest.join("×")}`;
    return h("td", { class: "number proved", title: words }, count(Math.round(proof.fps)));
  }
  const reason = card.refused[encoder];
  return reason
    ? h("td", { class: "number refused-here", title: reason }, "no")
    : h("td", { class: "number soft", title: "not in its ffmpeg" }, "–");
}

let latest = null;
filter.addEventListener("input", () => latest && draw(latest));

/** The page is shown: the workers' cards move here, and back when it is left. */
export function workersPage() {
  const home = cards.parentElement;
  slot.append(cards);
  drawn = null;
  const stop = watch((state) => {
    latest = state;
    draw(state);
  });
  return () => {
    stop();
    for (const card of cards.querySelectorAll(".cards > li")) card.hidden = false;
    home.append(cards);
  };
}
