// @ts-check
// Which jobs are selected: rows of the page, or all that the query finds.

/** @import { JobRow } from "#types" */

export function createSelection() {
  /** @type {Set<string>} */
  const rows = new Set();
  /** @type {string[] | null} all jobs of the query, once a person has selected them */
  let all = null;
  /** Where a range of rows begins. */
  let anchor = 0;

  return {
    /** @param {string} job */
    has: (job) => rows.has(job),
    /** The selected jobs. */
    jobs: () => all ?? [...rows],
    /** All jobs of the query; `null` where only rows are selected. */
    get all() {
      return all;
    },
    rowCount: () => rows.size,
    /** @param {string[]} jobs */
    selectAll(jobs) {
      all = jobs;
    },
    clear() {
      all = null;
      rows.clear();
    },
    /** The query is another: only rows stay selected. */
    forgetAll() {
      all = null;
    },
    /**
     * Selects one row alone.
     * @param {string} job
     */
    only(job) {
      all = null;
      rows.clear();
      rows.add(job);
    },
    /**
     * Selects a row or takes it back; as a range, with all rows since the one before.
     * @param {JobRow[]} shown
     * @param {string} job
     * @param {boolean} isSelected
     * @param {boolean} isRange
     */
    toggle(shown, job, isSelected, isRange) {
      all = null;
      const ids = shown.map((row) => row.job.id);
      const at = ids.indexOf(job);
      const range = isRange ? ids.slice(Math.min(anchor, at), Math.max(anchor, at) + 1) : [job];
      for (const id of range) isSelected ? rows.add(id) : rows.delete(id);
      anchor = at;
    },
    /**
     * Selects all rows of the page, or none.
     * @param {JobRow[]} shown
     * @param {boolean} isSelected
     */
    toggleRows(shown, isSelected) {
      all = null;
      for (const { job } of shown) isSelected ? rows.add(job.id) : rows.delete(job.id);
    },
    /**
     * Drops what is out of sight: nothing is done to it.
     * @param {JobRow[]} shown
     */
    keep(shown) {
      const ids = new Set(shown.map((row) => row.job.id));
      for (const id of rows) if (!ids.has(id)) rows.delete(id);
      if (rows.size === 0) all = null;
    },
  };
}

/** @typedef {ReturnType<typeof createSelection>} Selection */
