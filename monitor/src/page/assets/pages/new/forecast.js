// @ts-check
// What would become of the chosen files: workers look into the first of them, one after the other.

/** @import { Deps, Estimate, ForecastAnswer, Recipe, Rules } from "#types" */

import { h } from "../../lib/dom.js";
import { bytes, change, duration, plural, printable } from "../../lib/format.js";
import { changeList } from "../../widgets/changes.js";

/** Files that are looked into. */
const MOST = 10;

/**
 * What a job is expected to make and to take.
 * @param {Estimate | null | undefined} estimate
 * @param {number} size bytes of the input
 */
function estimateWords(estimate, size) {
  const { bytes: made, seconds, by } = estimate ?? {};
  const jobs = typeof by === "object" ? `, as in ${plural(by.jobs, "completed job")}` : "";
  const words = [
    typeof made === "number" ? `${bytes(size)} → about ${bytes(made)} (${change(size, made)}${jobs})` : `${bytes(size)} → size not known: no such job has completed yet`,
    typeof seconds === "number" ? `about ${duration(seconds)}` : "",
  ];
  return words.filter(Boolean).join(" · ");
}

/**
 * Draws into `element`.
 * @param {Deps} deps
 * @param {HTMLElement} element
 */
export function createForecast({ api }, element) {
  /** @type {Map<string, ForecastAnswer>} answers by file and recipe */
  const known = new Map();
  let turn = 0;

  /**
   * @param {string} file
   * @param {Recipe} recipe
   * @param {Rules} rules
   */
  async function fetchForecast(file, recipe, rules) {
    const key = JSON.stringify([file, recipe, rules]);
    const before = known.get(key);
    if (before) return before;
    const answer = await api.post("/forecast", { file, recipe, rules });
    known.set(key, answer);
    return answer;
  }

  /**
   * @param {string} file
   * @param {Recipe} recipe
   * @param {Rules} rules
   */
  async function words(file, recipe, rules) {
    try {
      const { refused, kept, changes, estimate, size } = await fetchForecast(file, recipe, rules);
      if (kept) return [h("p", { class: "soft" }, `Kept: ${printable(kept)}`)];
      if (refused) return [h("p", { class: "reason" }, printable(refused))];
      return [h("p", { class: "soft" }, estimateWords(estimate, size)), ...changeList(changes)];
    } catch (refusal) {
      // The file is looked into again the next time.
      return [h("p", { class: "soft" }, `Not known: ${printable(/** @type {Error} */ (refusal).message)}`)];
    }
  }

  return {
    /**
     * Shows what files would lose by a recipe.
     * @param {string[]} files
     * @param {Recipe | null} recipe
     * @param {Rules} rules
     */
    async update(files, recipe, rules) {
      turn += 1;
      const mine = turn;
      if (files.length === 0 || !recipe) {
        element.replaceChildren(h("p", { class: "soft" }, "Choose files to see what they would lose."));
        return;
      }
      const shown = files.slice(0, MOST).map((file) => {
        const answer = h("div", {}, h("p", { class: "soft" }, "Reading…"));
        return { file, answer, row: h("li", {}, h("bdi", {}, printable(file)), answer) };
      });
      const more = files.length - shown.length;
      element.replaceChildren(
        h("ul", { class: "forecast" }, ...shown.map(({ row }) => row)),
        ...(more > 0 ? [h("p", { class: "soft" }, `${plural(more, "more file")} not looked into.`)] : []),
      );
      for (const { file, answer } of shown) {
        const told = await words(file, recipe, rules);
        if (mine !== turn) return;
        answer.replaceChildren(...told);
      }
    },
    stop() {
      turn += 1;
    },
  };
}
