// @ts-check
// The changes offered above the table, their keys, and the jobs that each can change.

/** @import { Deps, JobRow, JobState } from "#types" */
/** @import { JobChanges } from "../../changes/jobs.js" */
/** @import { Query } from "./query.js" */
/** @import { Selection } from "./selection.js" */

/** @typedef {"cancel" | "retry" | "prioritise" | "assign" | "home" | "undo"} Verb */

/** @type {JobState[]} */
const STATES = ["pending", "running", "waiting", "completed", "kept", "failed", "cancelled"];
/** @type {JobState[]} */
const OPEN = ["pending", "running", "waiting"];

/** @type {Record<Verb, { key: string, states: JobState[], isFor?: (job: JobRow) => boolean }>} */
const RULES = {
  cancel: { key: "Delete", states: OPEN },
  retry: { key: "r", states: ["failed", "cancelled"] },
  prioritise: { key: "p", states: ["pending", "waiting"] },
  assign: { key: "a", states: OPEN },
  home: { key: "h", states: OPEN, isFor: ({ home }) => Boolean(home) },
  undo: { key: "u", states: ["completed"] },
};

/**
 * The change that a key makes.
 * @param {string} key
 */
export const verbOfKey = (key) => /** @type {Verb[]} */ (Object.keys(RULES)).find((verb) => RULES[verb].key === key);

/**
 * The selected rows that a change can apply to.
 * @param {Verb} verb
 * @param {JobRow[]} shown
 * @param {Selection} selection
 */
export function ableRows(verb, shown, selection) {
  const { states, isFor = () => true } = RULES[verb];
  return shown.filter((row) => selection.has(row.job.id) && states.includes(row.state) && isFor(row)).map((row) => row.job.id);
}

/**
 * The same of all that are selected, on whatever page; `null` where the server refused.
 * @param {Verb} verb
 * @param {Deps} deps
 * @param {Query} query
 * @param {string[]} selected
 */
export async function ableOfAll(verb, { api, notes }, query, selected) {
  const wanted = query.state ? query.state.split(",") : STATES;
  const states = RULES[verb].states.filter((state) => wanted.includes(state));
  if (states.length === 0) return [];
  const found = await notes.outcome(api.get("/jobs/ids", { ...query, offset: 0, state: states.join() }));
  const chosen = new Set(selected);
  return found && found.jobs.filter((job) => chosen.has(job));
}

/**
 * Makes a change to jobs.
 * @param {Verb} verb
 * @param {JobChanges} change
 * @param {string[]} jobs
 * @param {JobRow[]} shown
 */
export function changeJobs(verb, change, jobs, shown) {
  switch (verb) {
    case "cancel":
      return change.cancel(jobs);
    case "retry":
      return change.retry(jobs);
    case "prioritise":
      return change.reprioritize(jobs, shown.find((row) => row.job.id === jobs[0])?.priority);
    case "assign":
      return change.chooseWorker(jobs);
    case "home":
      return change.sendHome(jobs);
    case "undo":
      return change.undo(jobs);
  }
}
