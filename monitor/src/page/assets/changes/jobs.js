// @ts-check
// Changes of jobs: the same from the table, the job's page and the keyboard.

/** @import { Deps, Outcome } from "#types" */

import { h } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { field, question } from "../widgets/dialog.js";

/** Jobs that the server takes in one request. */
const MOST = 1000;
/** Jobs of one request where there are several: so many are done in a second or so. */
const PART = 250;

/** @typedef {(jobs: string[]) => Promise<Outcome[]>} Request */

/** @param {Deps} deps */
export function jobChanges({ api, notes }) {
  /**
   * Makes one change to many jobs in parts, and shows the result.
   * @param {string[]} jobs
   * @param {string} done
   * @param {Request} request
   */
  async function applyAll(jobs, done, request) {
    const progress = jobs.length > PART ? notes.progress(`0 of ${plural(jobs.length, "job")}…`) : null;
    let sent = 0;
    let good = 0;
    /** @type {string | null | undefined} */
    let why = null;
    while (sent < jobs.length && !progress?.isStopped()) {
      const part = jobs.slice(sent, sent + PART);
      const outcomes = await notes.outcome(request(part));
      if (!outcomes) break;
      sent += part.length;
      good += outcomes.filter((outcome) => outcome.done).length;
      why ??= outcomes.find((outcome) => !outcome.done)?.why;
      progress?.tell(`${count(sent)} of ${plural(jobs.length, "job")}…`);
    }
    progress?.end();
    if (good) notes.note(`${done}: ${plural(good, "job")}`);
    if (sent > good) notes.note(`Not done for ${plural(sent - good, "job")}: ${why}`, "bad");
    if (sent < jobs.length) notes.note(`Stopped: ${plural(jobs.length - sent, "job")} left unchanged`, "bad");
  }

  /**
   * Whether each live worker could run all of the jobs.
   * @param {string[]} jobs
   */
  const fits = (jobs) => notes.outcome(api.post("/jobs/fit", { jobs: jobs.slice(0, MOST) }));

  /**
   * @param {string[]} jobs
   * @param {string} worker
   */
  const assign = (jobs, worker) => applyAll(jobs, `Assigned to ${worker}`, (part) => api.post("/jobs/move", { jobs: part, queue: `on_${worker}` }));

  return {
    fits,
    assign,
    /** @param {string[]} jobs */
    async cancel(jobs) {
      const text = h("p", {}, "Running jobs are stopped. Cancelled jobs can be tried again later.");
      const verb = jobs.length === 1 ? "Cancel job" : "Cancel jobs";
      const sure = await question(`Cancel ${plural(jobs.length, "job")}?`, [text], verb, { tone: "bad", leave: "Back" });
      if (sure) await applyAll(jobs, "Cancelled", (part) => api.post("/jobs/cancel", { jobs: part }));
    },
    /** @param {string[]} jobs */
    retry: (jobs) => applyAll(jobs, "Trying again", (part) => api.post("/jobs/retry", { jobs: part })),
    /** @param {string[]} jobs */
    async undo(jobs) {
      const text = h("p", {}, "The originals come back from the trash, and the outputs that replaced them are removed. Outputs that were changed since are left alone.");
      const verb = jobs.length === 1 ? "Put original back" : "Put originals back";
      const sure = await question(`Undo ${plural(jobs.length, "replacement")}?`, [text], verb, { tone: "bad", leave: "Back" });
      if (sure) await applyAll(jobs, "Original back", (part) => api.post("/jobs/undo", { jobs: part }));
    },
    /**
     * @param {string[]} jobs
     * @param {number} present
     */
    async reprioritize(jobs, present = 5) {
      const input = h("input", { type: "number", name: "priority", min: 1, max: 10, value: present, required: true });
      const answer = await question(`Priority of ${plural(jobs.length, "job")}`, [field("Priority", input, "1 is low, 10 is high")], "Set");
      if (!answer) return;
      const priority = Number(answer.get("priority"));
      await applyAll(jobs, `Priority ${priority}`, (part) => api.post("/jobs/move", { jobs: part, priority }));
    },
    /**
     * Returns jobs to the queue that their recipe names.
     * @param {string[]} jobs
     */
    sendHome: (jobs) => applyAll(jobs, "Returned to the recipe's queue", (part) => api.post("/jobs/move", { jobs: part, home: true })),
    /**
     * Lets a person choose a worker among those that could.
     * @param {string[]} jobs
     */
    async chooseWorker(jobs) {
      const found = await fits(jobs);
      if (!found) return;
      if (found.length === 0) {
        notes.note("No worker is alive", "bad");
        return;
      }
      const choices = found.map(({ worker, fits, why }) => {
        const input = h("input", { type: "radio", name: "worker", value: worker, disabled: !fits, required: true });
        const hint = fits ? (jobs.length === 1 ? "Can run it" : "Can run them") : (why ?? "");
        return h("label", { class: "choice", "data-fits": String(fits) }, input, h("span", { class: "mono" }, worker), h("span", { class: "hint" }, hint));
      });
      const list = h("div", { class: "list", role: "radiogroup", "aria-label": "Worker" }, ...choices);
      const answer = await question(`Assign ${plural(jobs.length, "job")} to a worker`, [list], "Assign");
      const worker = answer?.get("worker");
      if (worker) await assign(jobs, String(worker));
    },
  };
}

/** @typedef {ReturnType<typeof jobChanges>} JobChanges */
