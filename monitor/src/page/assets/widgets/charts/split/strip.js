// @ts-check
// A film that fills: one segment for each chunk, as wide as it has frames, in the colour and with the letter of the
// worker that makes it. The arrow keys go from segment to segment.

/** @import { Deps, PartRow, Row } from "#types" */

import { h, keyedList, say, set } from "../../../lib/dom.js";
import { plural } from "../../../lib/format.js";
import { createLoader, soon } from "../../../lib/retry.js";
import { chunkOf, isTwin, partWords } from "./words.js";

/** The parts are loaded anew at most this often. In milliseconds. */
const INTERVAL = 1000;
/** The number of colours: workers beyond share them, and differ in their letters. */
const COLOURS = 8;
/** A strip of more segments has no room between them. */
const MANY = 80;

/** @param {number} number from 0 */
const letters = (number) => String.fromCharCode(65 + (number % 26)) + (number < 26 ? "" : String(Math.floor(number / 26)));

/** A worker keeps its colour and letter for as long as the strip is there. */
function createPalette() {
  /** @type {Map<string, number>} */
  const known = new Map();
  return {
    /** @param {string} worker */
    of(worker) {
      if (!known.has(worker)) known.set(worker, known.size);
      return known.get(worker) ?? 0;
    },
  };
}

/**
 * @typedef {object} Drawn
 * @property {PartRow} row
 * @property {PartRow} [twin]
 * @property {string} words
 */

/**
 * @param {ReturnType<typeof createPalette>} palette
 * @returns {Row<Drawn, []>}
 */
function segment(palette) {
  const fill = h("span", { class: "fill" });
  const letter = h("span", { class: "letter", "aria-hidden": "true" });
  const element = h("span", { class: "segment", role: "img", tabindex: -1 }, fill, letter);
  return {
    element,
    update({ row, twin, words }) {
      const worker = row.state === "pending" ? null : row.worker;
      const nth = worker ? palette.of(worker) : null;
      set(element, "data-state", row.state);
      set(element, "data-colour", nth === null ? null : nth % COLOURS);
      set(element, "data-rest", chunkOf(row.part) === null);
      set(element, "aria-label", words);
      element.style.flexGrow = String(row.frames || 1);
      fill.style.width = `${100 * Math.max(row.fraction, twin?.fraction ?? 0)}%`;
      say(letter, nth === null ? "" : letters(nth));
    },
  };
}

/** @returns {Row<[string, number], []>} */
function legendEntry() {
  const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
  const name = h("span");
  return {
    element: h("li", {}, swatch, name),
    update([worker, nth]) {
      set(swatch, "data-colour", nth % COLOURS);
      say(swatch, letters(nth));
      say(name, worker);
    },
  };
}

/** @param {Deps} deps */
export function chunkStrip({ api, whenStill }) {
  const strip = h("div", { class: "strip", role: "group", "aria-label": "Parts of the film: the arrow keys go from one to the next" });
  const told = h("p", { class: "told soft" });
  const legend = h("ul", { class: "legend", "aria-label": "Workers" });
  const element = h("div", { class: "split-strip", hidden: true }, strip, told, legend);
  const palette = createPalette();
  const drawSegments = keyedList(strip, (/** @type {Drawn} */ { row }) => row.part, () => segment(palette));
  const drawLegend = keyedList(legend, (/** @type {[string, number]} */ [worker]) => worker, legendEntry);
  let job = "";
  /** @type {Element | null} */
  let pointed = null;
  let summary = "";

  /** Says what the segment in question is about, or else the whole. */
  function tell() {
    const at = pointed ?? (strip.contains(document.activeElement) ? document.activeElement : null);
    say(told, at?.getAttribute("aria-label") ?? summary);
  }

  /** @param {PartRow[]} rows */
  function draw(rows) {
    const now = Date.now();
    const twins = new Map(rows.filter(({ part }) => isTwin(part)).map((row) => [chunkOf(row.part), row]));
    const needed = rows.filter(({ part }) => !isTwin(part));
    element.hidden = needed.length === 0;
    if (element.hidden) return;
    const drawn = needed.map((row) => {
      const number = chunkOf(row.part);
      const twin = number === null ? undefined : twins.get(number);
      return { row, twin, words: partWords(row, twin, now) };
    });
    drawSegments(drawn);
    set(strip, "data-many", needed.length > MANY);
    const workers = new Set(rows.flatMap(({ worker, state }) => (worker && state !== "pending" ? [worker] : [])));
    drawLegend([...workers].map((worker) => [worker, palette.of(worker)]));
    /** @param {string} state */
    const number = (state) => needed.filter((row) => row.state === state).length;
    const waits = number("waiting");
    summary = [
      `${number("completed")} of ${plural(needed.length, "part")} done`,
      number("running") ? `${number("running")} running` : "",
      waits ? `${waits} to be tried again` : "",
    ].filter(Boolean).join(" · ");
    if (!strip.querySelector("[tabindex='0']")) set(/** @type {Element} */ (strip.firstElementChild), "tabindex", 0);
    tell();
  }

  const loader = createLoader(
    async () => ({ of: job, rows: await api.get("/jobs/{job}/parts", { job }) }),
    ({ of, rows }) =>
      whenStill(() => {
        if (of === job) draw(rows);
      }),
  );
  const later = soon(() => element.isConnected && loader.load(), INTERVAL);

  /** @param {Element | null | undefined} next */
  function focus(next) {
    if (!(next instanceof HTMLElement)) return;
    for (const other of strip.querySelectorAll("[tabindex='0']")) set(other, "tabindex", -1);
    set(next, "tabindex", 0);
    next.focus();
  }
  strip.addEventListener("keydown", (event) => {
    const at = document.activeElement;
    if (!at || !strip.contains(at)) return;
    const next = { ArrowRight: at.nextElementSibling, ArrowLeft: at.previousElementSibling, Home: strip.firstElementChild, End: strip.lastElementChild }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    focus(next);
  });
  strip.addEventListener("click", ({ target }) => focus(target instanceof Element ? target.closest(".segment") : null));
  strip.addEventListener("focusin", tell);
  strip.addEventListener("focusout", () => queueMicrotask(tell));
  strip.addEventListener("pointerover", ({ target }) => {
    pointed = target instanceof Element ? target.closest(".segment") : null;
    tell();
  });
  strip.addEventListener("pointerleave", () => {
    pointed = null;
    tell();
  });

  return {
    element,
    /**
     * Shows the parts of a job; to be called again whenever they may have changed.
     * @param {string} id
     */
    update(id) {
      if (id !== job) {
        job = id;
        element.hidden = true;
        loader.load();
      } else later.call();
    },
    /** Shows nothing. */
    clear() {
      job = "";
      element.hidden = true;
      later.cancel();
    },
    unmount() {
      later.cancel();
      loader.stop();
    },
  };
}
