// @ts-check
// Whether what the page shows is true at this moment.

/** @import { State } from "#types" */

import { say, set } from "../lib/dom.js";
import { sentence, time } from "../lib/format.js";

const WORDS = {
  connecting: "Connecting…",
  live: "Live",
  lost: "Connection lost, reconnecting…",
  away: "Broker out of reach",
};

/** @typedef {"connecting" | "live" | "lost"} Link */

/**
 * @param {HTMLElement} element the line in the header
 * @param {HTMLElement} notice the banner above the page
 */
export function createConnection(element, notice) {
  const words = /** @type {HTMLElement} */ (element.lastElementChild);

  return {
    /**
     * @param {State | null} state
     * @param {Link} link
     * @param {number} now
     */
    update(state, link, now) {
      const isAway = link === "live" && state?.broker.connected === false;
      const condition = isAway ? "away" : link === "live" && !state ? "connecting" : link;
      set(element, "data-link", condition);
      say(words, WORDS[condition]);
      document.body.classList.toggle("stale", condition === "away" || condition === "lost");
      notice.hidden = !isAway;
      if (!isAway) return;
      const { since, error } = state.broker;
      say(
        notice,
        `Broker out of reach since ${time(since, now)}. ${sentence(error ?? "")} ` +
          "The page shows the state of that moment; running encodes continue. The page recovers by itself.",
      );
    },
  };
}
