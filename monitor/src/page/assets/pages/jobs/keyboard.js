// @ts-check
// Rows by keyboard: arrows walk, space selects, enter opens, and each change has its key.

/** @import { Verb } from "./verbs.js" */

import { verbOfKey } from "./verbs.js";

/**
 * @typedef {object} Walker
 * @property {(job: string, isSelected: boolean, isRange: boolean) => void} select
 * @property {(job: string) => boolean} isSelected
 * @property {(verb: Verb, job: string) => void} act
 */

/**
 * @param {HTMLElement} body
 * @param {Walker} walker
 */
export function walkRows(body, { select, isSelected, act }) {
  body.addEventListener("keydown", (event) => {
    const { target, key, shiftKey } = event;
    const row = target instanceof Element ? target.closest("tr") : null;
    const job = row?.dataset.id;
    if (!row || !job || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = key === "ArrowDown" ? row.nextElementSibling : key === "ArrowUp" ? row.previousElementSibling : null;
    if (next instanceof HTMLTableRowElement) {
      row.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      if (shiftKey && next.dataset.id) select(next.dataset.id, true, false);
    } else if (target !== row) {
      return;
    } else if (key === " ") {
      select(job, !isSelected(job), shiftKey);
    } else if (key === "Enter") {
      row.querySelector("a")?.click();
    } else {
      const verb = verbOfKey(key);
      if (!verb) return;
      act(verb, job);
    }
    event.preventDefault();
  });
}
