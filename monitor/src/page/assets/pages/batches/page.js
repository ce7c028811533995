// @ts-check
// What was enqueued together, and what is paused.

/** @import { BatchRow, Hold, Mount, Row } from "#types" */

import { button, h, keyedList, problemLine, say, sayProblem, set } from "../../lib/dom.js";
import { ago, count, duration, plural, printable, stateName, time } from "../../lib/format.js";
import { differences } from "../../lib/names.js";
import { createLoader, soon } from "../../lib/retry.js";
import { address } from "../../lib/router.js";
import { holdOrders } from "../../orders/holds.js";
import { jobName } from "../../widgets/job-name.js";

/** Batches are loaded anew at most this often. In milliseconds. */
const INTERVAL = 500;

/** How jobs end, in the order in which the bar shows them. */
const ENDED = /** @type {const} */ (["completed", "kept", "failed", "cancelled"]);

/** @param {BatchRow} batch */
const labelOf = ({ label, id }) => label || id;

/**
 * @param {BatchRow} first
 * @param {ReturnType<typeof holdOrders>} orders
 * @returns {Row<BatchRow, [Map<string, number>, Hold[]]>}
 */
function row({ id, enqueued }, orders) {
  const label = jobName();
  const link = h("a", { class: "job-link", href: address("jobs", { batch: id }) }, label.element);
  const when = h("time", { class: "end soft", datetime: enqueued });
  const bar = h("div", { class: "shares", role: "img" });
  const shares = ENDED.map((state) => h("span", { "data-state": state }));
  bar.append(...shares);
  const words = h("span");
  const pause = button("Pause", { class: "button act" });
  const facts = h("span", { class: "facts" }, words);
  const element = h("li", {}, h("div", { class: "line" }, link, when), bar, h("div", { class: "line" }, facts, h("span", { class: "end" }, pause)));
  const target = `batch.${id}`;
  let isPaused = false;
  pause.addEventListener("click", () => orders.pause(target, !isPaused));
  return {
    element,
    update(item, names, holds) {
      const jobs = Object.fromEntries(item.states);
      const all = item.states.reduce((sum, [, jobs]) => sum + jobs, 0);
      const over = ENDED.reduce((sum, state) => sum + (jobs[state] ?? 0), 0);
      label.update({ name: labelOf(item) }, names);
      say(when, ago(item.enqueued, Date.now()));
      set(when, "title", time(item.enqueued, Date.now()));
      shares.forEach((share, nth) => {
        const ended = jobs[ENDED[nth] ?? ""] ?? 0;
        share.style.flexGrow = String(all ? ended / all : 0);
      });
      set(bar, "aria-label", `${count(over)} of ${plural(all, "job")} ended`);
      const parts = item.states.filter(([, jobs]) => jobs > 0).map(([state, jobs]) => `${count(jobs)} ${stateName(state)}`);
      const left = typeof item.eta === "number" ? [`done in about ${duration(item.eta)}`] : [];
      say(words, [plural(item.jobs, "job"), ...parts, ...left].join(" · "));
      isPaused = holds.some((hold) => hold.target === target && hold.paused);
      say(pause, isPaused ? "Resume" : "Pause");
      pause.hidden = !isPaused && over === all;
    },
  };
}

/** @type {Mount} */
export function mount(element, deps) {
  const { api, state, whenStill } = deps;
  const orders = holdOrders(deps);
  const problem = problemLine();
  const rows = h("ul", { class: "rows" });
  const empty = h("p", { class: "empty", hidden: true }, "No batch has been enqueued yet.");
  const panel = h("section", { class: "panel", "aria-labelledby": "batches-title" }, h("h2", { id: "batches-title" }, "Batches"), problem, rows, empty);
  element.append(panel);
  const update = keyedList(rows, (batch) => batch.id, (/** @type {BatchRow} */ batch) => row(batch, orders));

  const loader = createLoader(
    () => api.get("/batches"),
    (batches) =>
      whenStill(() => {
        sayProblem(problem, null);
        empty.hidden = batches.length > 0;
        update(batches, differences(batches.map((batch) => printable(labelOf(batch)))), state.current?.controls ?? []);
      }),
    ({ message }) => whenStill(() => sayProblem(problem, message)),
  );
  const later = soon(loader.load, INTERVAL);
  let seen = "";
  const unwatch = state.watch(({ listing, controls }) => {
    const mark = JSON.stringify([listing.revision, controls]);
    if (mark !== seen) later.call();
    seen = mark;
  });
  loader.load();

  return {
    show() {},
    unmount() {
      unwatch();
      later.cancel();
      loader.stop();
    },
  };
}
