// Standing orders: pauses of queues and batches, drains and hours of workers.

import { put, remove } from "./api.js";
import { ask, field } from "./dialog.js";
import { h } from "./dom.js";
import { order } from "./notes.js";
import { state } from "./state.js";

/** The order about a target that is in force. */
export const standing = (target) => state?.controls.find((order) => order.target === target);

/** Gives an order about a target; one that says nothing is taken back. */
export function control(target, { paused, hours = standing(target)?.hours ?? null }) {
  const path = `controls/${encodeURIComponent(target)}`;
  const name = target.slice(target.indexOf(".") + 1);
  const isWorker = target.startsWith("worker.");
  const done = paused ? (isWorker ? `${name} drains` : `${name} is paused`) : isWorker ? `${name} takes jobs` : `${name} goes on`;
  return order(paused || hours ? put(path, { paused, hours }) : remove(path), done);
}

/** Asks for a worker's hours. */
export async function askHours(worker) {
  const target = `worker.${worker}`;
  const present = standing(target);
  const input = h("input", { name: "hours", value: present?.hours ?? "", placeholder: "mon-fri 19:00-07:00; sat,sun 00:00-24:00", autocomplete: "off" });
  const answer = await ask(`Hours of ${worker}`, [
    field("Starts jobs", input, "By its own clock. Empty: the hours that it was started with."),
  ], "Set");
  if (answer) await control(target, { paused: present?.paused ?? false, hours: answer.get("hours").trim() || null });
}
