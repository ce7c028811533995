// @ts-check
// Orders that hold until a person takes them back: pauses of queues and batches, drains and hours of workers; and a
// person's word that a worker is well.

/** @import { Deps, State } from "#types" */

import { h } from "../lib/dom.js";
import { field, question } from "../widgets/dialog.js";

/**
 * The order about a target that is in force.
 * @param {State} state
 * @param {string} target
 */
export const holdOf = (state, target) => state.controls.find((hold) => hold.target === target);

/** @param {Deps} deps */
export function holdOrders({ api, notes, state }) {
  /**
   * Sets a worker's hours; without any, the worker has those again that it was started with.
   * @param {string} worker
   * @param {string} hours
   */
  async function setHours(worker, hours) {
    await (hours ? api.put("/hours/{worker}", { worker }, { hours }) : api.remove("/hours/{worker}", { worker }));
    notes.note(hours ? `${worker} starts jobs ${hours}` : `${worker} has its own hours again`);
  }

  return {
    /**
     * Pauses a queue or batch, drains a worker, or resumes it.
     * @param {string} target
     * @param {boolean} isPaused
     */
    pause(target, isPaused) {
      const name = target.slice(target.indexOf(".") + 1);
      const held = target.startsWith("worker.") ? "draining" : "paused";
      const request = isPaused ? api.put("/pauses/{target}", { target }) : api.remove("/pauses/{target}", { target });
      return notes.outcome(request, `${name} is ${isPaused ? held : "resumed"}`);
    },
    /** @param {string} worker */
    liftQuarantine: (worker) =>
      notes.outcome(api.remove("/quarantines/{worker}", { worker }), `The quarantine of ${worker} is lifted: it takes jobs again`),
    /**
     * Asks for a worker's hours, and sets them.
     * @param {string} worker
     */
    async askHours(worker) {
      const present = state.current && holdOf(state.current, `worker.${worker}`)?.hours;
      const input = h("input", { name: "hours", value: present ?? "", placeholder: "mon-fri 19:00-07:00; sat,sun 00:00-24:00", autocomplete: "off" });
      const hours = field("Starts jobs", input, "By its own clock. Empty: the hours it was started with.");
      await question(`Hours of ${worker}`, [hours], "Set", { act: () => setHours(worker, input.value.trim()) });
    },
    /**
     * Has a worker keep those hours again that it was started with.
     * @param {string} worker
     */
    leaveHours: (worker) => notes.outcome(setHours(worker, "")),
  };
}
