// Orders about jobs: the same from the table, the job's page and the keyboard.

import { post } from "./api.js";
import { ask, field } from "./dialog.js";
import { h } from "./dom.js";
import { count, plural } from "./format.js";
import { note, order, progress } from "./notes.js";

/** Jobs that the server takes in one order. */
const MOST = 1000;
/** Jobs of one order where there are several: so many are done in a second or so. */
const SOME = 250;

/** Gives one order about many jobs, and says how it ended. */
async function give(verb, jobs, more, done) {
  const going = jobs.length > SOME ? progress(`0 of ${plural(jobs.length, "job")}…`) : null;
  let at = 0;
  let good = 0;
  let why = null;
  while (at < jobs.length && !going?.isStopped) {
    const some = jobs.slice(at, at + SOME);
    const outcomes = await order(post(`jobs/${verb}`, { jobs: some, ...more }));
    if (!outcomes) break;
    at += some.length;
    good += outcomes.filter((outcome) => outcome.done).length;
    why ??= outcomes.find((outcome) => !outcome.done)?.why;
    going?.tell(`${count(at)} of ${plural(jobs.length, "job")}…`);
  }
  going?.end();
  if (good) note(`${done}: ${plural(good, "job")}`);
  if (at > good) note(`Not done for ${plural(at - good, "job")}: ${why}`, "bad");
  if (at < jobs.length) note(`Stopped: ${plural(jobs.length - at, "job")} left as they were`, "bad");
}

export async function cancel(jobs) {
  const sure = await ask(`Cancel ${plural(jobs.length, "job")}?`, [
    h("p", {}, "What runs is stopped. Cancelled jobs can be tried again later."),
  ], jobs.length === 1 ? "Cancel job" : "Cancel jobs", { tone: "bad", leave: "Back" });
  if (sure) await give("cancel", jobs, {}, "Cancelled");
}

export const retry = (jobs) => give("retry", jobs, {}, "To be tried again");

export async function reprioritise(jobs, present = 5) {
  const input = h("input", { type: "number", name: "priority", min: 1, max: 10, value: present, required: true });
  const answer = await ask(`Priority of ${plural(jobs.length, "job")}`, [
    field("Priority", input, "1 is low, 10 is high"),
  ], "Set");
  if (answer) await give("move", jobs, { priority: Number(answer.get("priority")) }, `Priority ${answer.get("priority")}`);
}

export const assign = (jobs, worker) => give("move", jobs, { queue: `on_${worker}` }, `Given to ${worker}`);

export const sendHome = (jobs) => give("move", jobs, { home: true }, "Back in the recipe's queue");

/** Whether each live worker could run all of the jobs: `[{ worker, fits, why }]`. */
export const fits = (jobs) => order(post("jobs/fit", { jobs: jobs.slice(0, MOST) }));

/** Lets a person choose a worker among those that could. */
export async function chooseWorker(jobs) {
  const found = await fits(jobs);
  if (!found) return;
  if (found.length === 0) {
    note("No worker is alive.", "bad");
    return;
  }
  const choices = found.map(({ worker, fits, why }) => {
    const input = h("input", { type: "radio", name: "worker", value: worker, disabled: !fits, required: true });
    const words = fits ? "can run them" : why;
    return h("label", { class: "choice", "data-fits": String(fits) }, input, h("span", { class: "mono" }, worker), h("span", { class: "hint" }, words));
  });
  const list = h("div", { class: "list", role: "radiogroup", "aria-label": "Worker" }, ...choices);
  const answer = await ask(`Give ${plural(jobs.length, "job")} to one worker`, [list], "Assign");
  if (answer?.get("worker")) await assign(jobs, answer.get("worker"));
}
