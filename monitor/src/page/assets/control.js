// Standing orders: pauses of queues and batches, drains and hours of workers;
// and a person's word that a worker is well.

import { put, remove } from "./api.js";
import { ask, field } from "./dialog.js";
import { h } from "./dom.js";
import { note, order } from "./notes.js";
import { state } from "./state.js";

/** The order about a target that is in force. */
export const standing = (target) => state?.controls.find((order) => order.target === target);

/** Pauses a queue or batch, has a worker drain, or resumes it. */
export function pause(target, paused) {
  const path = `pauses/${encodeURIComponent(target)}`;
  const name = target.slice(target.indexOf(".") + 1);
  const isWorker = target.startsWith("worker.");
  const done = paused ? (isWorker ? `${name} drains` : `${name} is paused`) : `${name} resumes`;
  return order(paused ? put(path) : remove(path), done);
}

/** Ends a worker's quarantine. */
export const lift = (worker) => order(remove(`quarantines/${encodeURIComponent(worker)}`), `The quarantine of ${worker} is lifted: it takes jobs again`);

/** Asks for a worker's hours, and sets them. */
export async function askHours(worker) {
  const present = standing(`worker.${worker}`)?.hours ?? "";
  const input = h("input", { name: "hours", value: present, placeholder: "mon-fri 19:00-07:00; sat,sun 00:00-24:00", autocomplete: "off" });
  await ask(`Hours of ${worker}`, [
    field("Starts jobs", input, "By its own clock. Empty: the hours that it was started with."),
  ], "Set", { act: (answer) => setHours(worker, answer.get("hours").trim()) });
}

/** Sets a worker's hours; without any, it has those again that it was started with. Throws what is refused. */
async function setHours(worker, hours) {
  const path = `hours/${encodeURIComponent(worker)}`;
  await (hours ? put(path, { hours }) : remove(path));
  note(hours ? `${worker} starts jobs ${hours}` : `${worker} has its own hours again`);
}

/** Has a worker keep those hours again that it was started with. */
export const leaveHours = (worker) => order(setHours(worker, ""));
