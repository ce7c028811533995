// @ts-check
// Which encoders each worker supports, on one sheet, and which workers can do what is asked for.

/** @import { CardRow, Mount, State } from "#types" */
/** @import { Wanted } from "./capability.js" */

import { h, say } from "../../lib/dom.js";
import { count, fps, plural } from "../../lib/format.js";
import { refine } from "../../lib/router.js";
import { workerCards } from "../../widgets/workers/cards.js";
import { allExtras, asksForAnything, asksForEncoder, isCapable, suits } from "./capability.js";
import { scaling } from "./scaling.js";
import { skeleton } from "./skeleton.js";

/** What is asked for, as the address has it. */
const FIELDS = /** @type {const} */ (["encoder", "bits", "largest", "on", "also"]);

/**
 * Encoders of all cards, proved ones first, then by name.
 * @param {Record<string, CardRow>} cards
 */
function encodersOf(cards) {
  const all = Object.values(cards);
  const proved = new Set(all.flatMap((card) => card.encoders.map(({ name }) => name)));
  const refused = new Set(all.flatMap((card) => Object.keys(card.refused)).filter((name) => !proved.has(name)));
  return [...[...proved].sort(), ...[...refused].sort()];
}

/**
 * What a worker has proved of an encoder.
 * @param {CardRow | undefined} card
 * @param {string} encoder
 * @param {Wanted} wanted
 */
function cell(card, encoder, wanted) {
  const proof = card?.encoders.find(({ name }) => name === encoder);
  if (proof) {
    const words = `${fps(proof.fps)} at 1280×720, up to ${proof.largest.join("×")}, ${proof.depths.join(" and ")} bit`;
    return suits(proof, wanted)
      ? h("td", { class: "number proved", title: words }, count(Math.round(proof.fps)))
      : h("td", { class: "number soft", title: `proved, but not as asked for: ${words}` }, "–");
  }
  const reason = card?.refused[encoder];
  return reason
    ? h("td", { class: "number refused-here", title: reason }, "no")
    : h("td", { class: "number soft", title: "not in its ffmpeg" }, "–");
}

/** @type {Mount} */
export function mount(element, deps) {
  const { clock, lastDay, state } = deps;
  const cards = workerCards(deps);
  const scalers = scaling(deps);
  const parts = skeleton(cards.element, scalers.element);
  element.append(parts.element);
  /** @type {Wanted} */
  let wanted = { encoder: "", bits: "", largest: "", on: "", also: "" };
  /** @type {State["cards"] | null} cards that are drawn */
  let drawn = null;
  let shape = "";

  /**
   * @param {State} state
   * @param {number} now
   */
  function draw(state, now) {
    const { cards: known, workers } = state;
    const extras = allExtras(known);
    /** @param {CardRow | undefined} card */
    const isWanted = (card) => !asksForAnything(wanted) || isCapable(card, wanted, extras);
    const names = workers.map((row) => row.name).filter((name) => isWanted(known[name]));
    say(parts.matches, asksForAnything(wanted) ? `${count(names.length)} of ${plural(workers.length, "worker")} can do this` : plural(workers.length, "worker"));
    drawMatrix(known, names.filter((name) => known[name]), extras);
    cards.update(state, now, isWanted);
  }

  /**
   * @param {State["cards"]} known
   * @param {string[]} names
   * @param {string[]} extras
   */
  function drawMatrix(known, names, extras) {
    /** @param {string} encoder */
    const isOneCapable = (encoder) => names.some((name) => known[name]?.encoders.some((proof) => proof.name === encoder && suits(proof, wanted)));
    const rows = encodersOf(known).filter((encoder) => !asksForEncoder(wanted) || isOneCapable(encoder));
    const next = JSON.stringify([names, rows, wanted]);
    if (drawn === known && shape === next) return;
    if (drawn !== known) parts.extras.replaceChildren(...extras.map((name) => h("option", { value: name })));
    drawn = known;
    shape = next;
    parts.table.hidden = names.length === 0 || rows.length === 0;
    parts.head.replaceChildren(h("tr", {}, h("th", { scope: "col" }, "Encoder"), ...names.map((name) => h("th", { scope: "col", class: "number" }, name))));
    parts.body.replaceChildren(
      ...rows.map((encoder) =>
        h("tr", {}, h("th", { scope: "row", class: "mono" }, encoder), ...names.map((name) => cell(known[name], encoder, wanted))),
      ),
    );
  }

  function setWanted() {
    const { encoder, bits, largest, on, also } = parts.fields;
    wanted = { encoder: encoder.value, bits: bits.value, largest: largest.value, on: on.value, also: also.value };
    if (state.current) draw(state.current, clock.now());
  }

  parts.filters.addEventListener("input", () => {
    setWanted();
    refine("workers", wanted);
  });
  parts.filters.addEventListener("submit", (event) => event.preventDefault());
  parts.filters.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const name of FIELDS) parts.fields[name].value = "";
    setWanted();
    refine("workers", wanted);
  });
  const stops = [clock.draw(draw), lastDay.follow(clock.redraw), scalers.stop];

  return {
    show({ query }) {
      for (const name of FIELDS) {
        const field = parts.fields[name];
        field.value = query.get(name) ?? "";
        // An address may ask for a choice that does not exist.
        if (field instanceof HTMLSelectElement && field.selectedIndex === -1) field.selectedIndex = 0;
      }
      setWanted();
    },
    unmount: () => stops.forEach((stop) => stop()),
  };
}
