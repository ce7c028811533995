// @ts-check
// What the farm did in the last day, and what sums of jobs say.

/** @import { Api } from "./api.js" */
/** @import { History, Sum } from "#types" */

import { createLoader, everySoOften } from "./retry.js";

/** More often is of no use: the last day changes slowly. In milliseconds. */
const INTERVAL = 30_000;

/** @param {Api} api */
export function createLastDay(api) {
  /** @type {History | null} */
  let current = null;
  return {
    /** `null` until it is known. */
    get current() {
      return current;
    },
    /**
     * Keeps the last day up to date until what it returns is called, and tells `follower` each time.
     * @param {(day: History) => void} [follower]
     */
    follow(follower = () => {}) {
      const loader = createLoader(
        () => api.get("/history", { hours: 24 }),
        (day) => {
          current = day;
          follower(day);
        },
      );
      const stop = everySoOften(loader.load, INTERVAL);
      return () => {
        stop();
        loader.stop();
      };
    },
  };
}

/** @typedef {ReturnType<typeof createLastDay>} LastDay */

/**
 * Frames per second of an encode; 0 where nothing was encoded.
 * @param {Sum} sum
 */
export const encodeFps = ({ frames, encode_seconds: seconds }) => (seconds ? frames / seconds : 0);

/**
 * Seconds of media that a second of an encode made; 0 where nothing was encoded.
 * @param {Sum} sum
 */
export const encodeSpeed = ({ length, encode_seconds: seconds }) => (seconds ? length / seconds : 0);

/**
 * Seconds from claim to end of a job.
 * @param {Sum} sum
 */
export const secondsPerJob = ({ total_seconds: seconds, completed }) => seconds / Math.max(1, completed);
