// Jobs that wait: for their turn, or for their next attempt.

import { h, say, set } from "../dom.js";
import { age, ago, bytes, duration, plural, told } from "../format.js";
import { chip, folder, jobList, jobLink } from "./job.js";
import { UNSERVED } from "./queues.js";

function nextRow(item) {
  const name = jobLink();
  const where = folder();
  const priority = h("span", { class: "priority" });
  const size = h("span", { class: "end soft" });
  const since = h("span", { class: "end" });
  const held = h("span", { class: "held" });
  const element = h(
    "li",
    {},
    h("div", { class: "line" }, name.element, size),
    h("div", { class: "facts" }, priority, chip(item.queue), held, where.element, since),
  );
  return {
    element,
    update(item, now, names) {
      name.update(item.job, names);
      where.update(item.job);
      say(priority, `prio ${item.priority}`);
      set(priority, "data-urgent", item.priority > 5);
      say(size, bytes(item.input_size));
      say(held, item.unserved ? UNSERVED[item.unserved] : "");
      say(since, `for ${age(item.enqueued, now)}`);
    },
  };
}

function retryRow(item) {
  const name = jobLink();
  const when = h("span", { class: "end" });
  const reason = h("span", { class: "reason" });
  const tries = h("span", {});
  const element = h(
    "li",
    {},
    h("div", { class: "line" }, name.element, when),
    h("div", { class: "facts" }, chip(item.queue), tries),
    reason,
  );
  return {
    element,
    update(item, now, names) {
      name.update(item.job, names);
      const left = (Date.parse(item.until) - now) / 1000;
      say(when, left > 0 ? `again in ${duration(left)}` : `due ${ago(item.until, now)}`);
      say(tries, `failed ${item.attempts === 1 ? "once" : plural(item.attempts, "time")}`);
      say(reason, told(item.reason));
    },
  };
}

const nextList = jobList("next", 8, nextRow);
const retryList = jobList("retrying", 8, retryRow);

export const next = ({ next, totals }, now) => nextList(next, Math.max(totals.pending, next.length), now);

export const retrying = ({ retrying }, now) => retryList(retrying, retrying.length, now);
