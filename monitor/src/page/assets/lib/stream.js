// @ts-check
// The live state: one EventSource, kept alive.

/** @import { State } from "#types" */

import { backoff } from "./retry.js";

/** The server sends its clock every 10 s: without it for this long the link is dead. In milliseconds. */
const SILENCE = 25_000;
/** A page in the background gives its connection back after this long: browsers allow six to one server. */
const BACKGROUND = 60_000;

/**
 * @typedef {object} Listener
 * @property {(sections: State) => void} state takes the whole state
 * @property {(sections: Partial<State>) => void} change takes the sections that have changed
 * @property {(at: number) => void} clock takes the server's time, in milliseconds
 * @property {() => boolean} stays whether the page follows in the background, too
 * @property {(isUp: boolean) => void} link is told whether there is a connection
 */

/**
 * Follows the live state at `url`, and connects again by itself.
 * @param {string} url
 * @param {Listener} on
 */
export function follow(url, on) {
  /** @type {EventSource | null} */
  let source = null;
  let silence = 0;
  let again = 0;
  let background = 0;
  const waits = backoff();

  function close() {
    source?.close();
    source = null;
    clearTimeout(silence);
    clearTimeout(again);
  }

  /** @param {number} wait */
  function lost(wait) {
    close();
    on.link(false);
    again = setTimeout(open, wait);
  }

  function heard() {
    clearTimeout(silence);
    silence = setTimeout(() => lost(0), SILENCE);
  }

  function open() {
    close();
    const opened = new EventSource(url);
    source = opened;
    heard();
    /**
     * @param {string} name
     * @param {(data: any) => void} take
     */
    const receive = (name, take) =>
      opened.addEventListener(name, (event) => {
        heard();
        take(JSON.parse(event.data));
      });
    receive("clock", (at) => on.clock(Date.parse(at)));
    receive("state", on.state);
    receive("change", on.change);
    opened.addEventListener("open", () => {
      waits.reset();
      on.link(true);
    });
    opened.addEventListener("error", () => {
      // An answer other than a stream ends an EventSource for good.
      if (opened.readyState === EventSource.CLOSED) lost(waits.next());
      else on.link(false);
    });
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(background);
    if (document.hidden) background = setTimeout(() => on.stays() || close(), BACKGROUND);
    else if (!source) open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
