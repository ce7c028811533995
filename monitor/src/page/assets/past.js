// What was done: asked for, and what its sums say.

import { get } from "./api.js";

/** More often is of no use: the last day changes slowly. */
const EVERY = 30_000;

/** What the farm did in the last day; `null` until that is known. */
export let day = null;

/** Has the last day asked for, until what it returns is called; `follower` is told. */
export function lastDay(follower = () => {}) {
  let isWanted = true;
  async function ask() {
    try {
      day = await get("history?hours=24");
    } catch {
      // What is shown stays; the line at the top says what is wrong.
      return;
    }
    if (isWanted) follower(day);
  }
  ask();
  const timer = setInterval(() => document.hidden || ask(), EVERY);
  return () => {
    isWanted = false;
    clearInterval(timer);
  };
}

/** Frames per second of an encode; 0 where nothing was encoded. */
export const pace = ({ frames, encode_seconds }) => (encode_seconds ? frames / encode_seconds : 0);

/** Seconds of media that a second of an encode made; 0 where nothing was encoded. */
export const tempo = ({ length, encode_seconds }) => (encode_seconds ? length / encode_seconds : 0);

/** Seconds from claim to end of a job. */
export const each = ({ total_seconds, completed }) => total_seconds / Math.max(1, completed);
