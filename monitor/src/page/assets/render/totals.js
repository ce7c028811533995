// The sums at the top.

import { h, say, set } from "../dom.js";
import { age, bytes, change, count, fps, plural } from "../format.js";
import { address } from "../router.js";

const list = document.getElementById("totals");

/** A figure that leads to what it counts. */
function tile(label, href) {
  const link = h("a", { href }, label);
  const name = h("dt", {}, link);
  const figure = h("span", { class: "figure" }, "–");
  const aside = h("span", { class: "aside" });
  const element = h("div", { class: "total" }, name, h("dd", {}, figure, aside));
  list.append(element);
  return (value, more, tone = null, title = label) => {
    say(link, title);
    say(figure, value);
    say(aside, more);
    set(link, "title", more);
    set(element, "data-tone", tone);
  };
}

const phase = (phases, query = {}) => address("jobs", { phases, ...query });
const latest = { sort: "changed", descending: "true" };

const running = tile("Running", phase("running"));
const pending = tile("Pending", phase("pending"));
const done = tile("Done", phase("completed", latest));
const failed = tile("Failed", phase("failed", latest));
const workers = tile("Workers", address("workers"));
const saved = tile("Saved", address("history"));

export function totals({ totals, queues }, now) {
  const since = totals.since ? `last ${age(totals.since, now)}` : "in all";
  const used = queues.filter((row) => row.pending > 0).length;
  running(count(totals.running), totals.fps ? fps(totals.fps) : "");
  pending(count(totals.pending), totals.pending ? `in ${plural(used, "queue")}` : "");
  done(count(totals.completed), totals.cancelled ? `${since} · ${count(totals.cancelled)} cancelled` : since);
  failed(count(totals.failed), since, totals.failed ? "bad" : null);
  workers(count(totals.workers), plural(totals.slots, "slot"));
  const less = totals.input_bytes - totals.output_bytes;
  const ratio = totals.input_bytes ? `${change(totals.input_bytes, totals.output_bytes)} of ${bytes(totals.input_bytes)}` : "";
  saved(bytes(Math.abs(less)), ratio, less > 0 ? "good" : null, less < 0 ? "Grown" : "Saved");
}
