// @ts-check
// The live state, for all who draw from it.

/** @import { State } from "#types" */

/**
 * @param {(work: () => void) => void} whenStill
 */
export function createState(whenStill) {
  /** @type {Set<(state: State) => void>} */
  const followers = new Set();
  /** @type {State | null} */
  let current = null;

  function tell() {
    const state = current;
    if (state) for (const follower of followers) follower(state);
  }

  return {
    /** The latest state; `null` until it has come. */
    get current() {
      return current;
    },
    /** @param {State} sections all of them */
    replace(sections) {
      current = sections;
      whenStill(tell);
    },
    /** @param {Partial<State>} sections those that have changed */
    update(sections) {
      if (!current) return;
      current = { ...current, ...sections };
      whenStill(tell);
    },
    /**
     * Calls `follower` with the state, and with every new one; returns how to stop that.
     * @param {(state: State) => void} follower
     * @returns {() => void}
     */
    watch(follower) {
      followers.add(follower);
      if (current) follower(current);
      return () => followers.delete(follower);
    },
  };
}

/** @typedef {ReturnType<typeof createState>} LiveState */
