// @ts-check
// Draws what depends on the state and on the time of day: at once where the state changes, and every second, as ages
// grow although nothing comes in.

/** @import { State } from "#types" */
/** @import { LiveState } from "./state.js" */

/** How often ages are drawn anew. In milliseconds. */
const TICK = 1000;

/**
 * @param {LiveState} state
 * @param {(work: () => void) => void} whenStill
 */
export function createClock(state, whenStill) {
  /** The server's clock less ours: ages are right on a machine whose clock is not. In milliseconds. */
  let offset = 0;
  let isDue = false;
  /** @type {Set<() => void>} */
  const followers = new Set();

  function draw() {
    isDue = false;
    for (const follower of followers) follower();
  }

  /** However much comes in, the page is drawn once a frame. */
  function redraw() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => whenStill(draw));
  }

  setInterval(() => document.hidden || redraw(), TICK);

  return {
    /** The server's time, in milliseconds. */
    now: () => Date.now() + offset,
    /** @param {number} at the server's time, in milliseconds */
    set(at) {
      offset = at - Date.now();
    },
    redraw,
    /**
     * Calls `follower` with the state and the time now and whenever one of them has changed; returns how to stop that.
     * @param {(state: State, now: number) => void} follower
     * @returns {() => void}
     */
    draw(follower) {
      const draw = () => state.current && follower(state.current, Date.now() + offset);
      const unwatch = state.watch(redraw);
      followers.add(draw);
      draw();
      return () => {
        unwatch();
        followers.delete(draw);
      };
    },
  };
}

/** @typedef {ReturnType<typeof createClock>} Clock */
