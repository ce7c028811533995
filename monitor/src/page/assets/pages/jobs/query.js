// @ts-check
// Which jobs the table shows, as the address and the server have it.

/** Jobs of one page. */
export const LIMIT = 50;

/**
 * @typedef {object} Query
 * @property {string} state
 * @property {string} text
 * @property {string} queue
 * @property {string} worker
 * @property {string} batch
 * @property {string} health `damaged` for checks that have found damage
 * @property {string} sort
 * @property {string} descending
 * @property {number} offset
 */

/**
 * The query that an address says.
 * @param {URLSearchParams} given
 * @returns {Query}
 */
export function readQuery(given) {
  const text = (/** @type {string} */ name, usual = "") => given.get(name) ?? usual;
  return {
    state: text("state"),
    text: text("text"),
    queue: text("queue"),
    worker: text("worker"),
    batch: text("batch"),
    health: text("health"),
    sort: text("sort", "enqueued"),
    descending: text("descending", given.has("sort") ? "false" : "true"),
    offset: Number(text("offset", "0")) || 0,
  };
}
