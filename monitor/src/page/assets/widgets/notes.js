// @ts-check
// Short words on how a change or an order ended, for eyes and screen readers.

import { button, h, say } from "../lib/dom.js";
import { capitalised } from "../lib/format.js";

/** How long a note stays. In milliseconds. */
const STAY = 8000;
/** Notes that are shown at once. */
const MOST = 4;

/** @param {HTMLElement} list */
export function createNotes(list) {
  /**
   * @param {string} text
   * @param {"good" | "bad"} tone
   */
  function note(text, tone = "good") {
    const element = h("p", { class: "note", "data-tone": tone }, text);
    list.append(element);
    const passing = list.querySelectorAll(".note:not(.lasting)");
    if (passing.length > MOST) passing[0]?.remove();
    setTimeout(() => element.remove(), STAY);
  }

  return {
    note,
    /**
     * A note on something that takes a while, and can be stopped.
     * @param {string} text
     */
    progress(text) {
      const words = h("span", { "aria-live": "off" }, text);
      const stop = button("Stop");
      const element = h("p", { class: "note lasting" }, words, " ", stop);
      let isStopped = false;
      stop.addEventListener("click", () => {
        isStopped = true;
      });
      list.append(element);
      return {
        isStopped: () => isStopped,
        /** @param {string} text */
        tell: (text) => say(words, text),
        end: () => element.remove(),
      };
    },
    /**
     * Waits for a request and says how it ended. Resolves with the answer, `null` where the server refused.
     * @template T
     * @param {Promise<T>} request
     * @param {string} [done]
     * @returns {Promise<T | null>}
     */
    async outcome(request, done) {
      try {
        const answer = await request;
        if (done) note(done);
        return answer;
      } catch (refusal) {
        note(capitalised(/** @type {Error} */ (refusal).message), "bad");
        return null;
      }
    },
  };
}

/** @typedef {ReturnType<typeof createNotes>} Notes */
