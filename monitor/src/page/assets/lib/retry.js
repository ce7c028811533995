// @ts-check
// Asking again where the server gave no answer: it may be starting anew.

import { Refusal } from "./api.js";

/** The first wait, and the longest: each is twice the one before. In milliseconds. */
const FIRST = 500;
const LONGEST = 8000;

/** How long to wait before the next try. */
export function backoff() {
  let wait = 0;
  return {
    next: () => (wait = wait ? Math.min(2 * wait, LONGEST) : FIRST),
    reset: () => {
      wait = 0;
    },
  };
}

/**
 * Whether the same request may succeed later: the monitor was not there, or the broker was not there for it.
 * @param {unknown} error
 */
const isPassing = (error) => error instanceof Refusal && (error.status === 0 || error.status >= 500);

/**
 * Loads what a part of the page shows, one request at a time: whenever told to, and by itself again after a failure
 * that may pass.
 * @template T
 * @param {() => Promise<T>} request
 * @param {(answer: T) => void} show
 * @param {(error: Error) => void} [fail] shows why there is nothing
 */
export function createLoader(request, show, fail = () => {}) {
  const waits = backoff();
  let isLoading = false;
  let isDue = false;
  let isStopped = false;
  let timer = 0;

  async function load() {
    if (isStopped) return;
    isDue = isLoading;
    if (isLoading) return;
    isLoading = true;
    clearTimeout(timer);
    /** @type {T} */
    let answer;
    try {
      answer = await request();
    } catch (error) {
      isLoading = false;
      if (isStopped) return;
      if (isPassing(error)) timer = setTimeout(load, waits.next());
      fail(/** @type {Error} */ (error));
      if (isDue) load();
      return;
    }
    isLoading = false;
    waits.reset();
    if (isStopped) return;
    show(answer);
    if (isDue) load();
  }

  return {
    load,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/**
 * Calls `load` every so often while somebody looks; returns how to stop that.
 * @param {() => void} load
 * @param {number} interval in milliseconds
 */
export function everySoOften(load, interval) {
  load();
  const timer = setInterval(() => document.hidden || load(), interval);
  return () => clearInterval(timer);
}

/**
 * Gives a function that does `work` soon, once for all calls until then; `cancel` forgets it.
 * @param {() => void} work
 * @param {number} wait in milliseconds
 */
export function soon(work, wait) {
  let timer = 0;
  return {
    call() {
      timer ||= setTimeout(() => {
        timer = 0;
        work();
      }, wait);
    },
    cancel() {
      clearTimeout(timer);
      timer = 0;
    },
  };
}
