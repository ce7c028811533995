// @ts-check
// Every order that holds until a person takes it back.

/** @import { Deps, Hold, Row } from "#types" */

import { button, h, keyedList, say, set } from "../../lib/dom.js";
import { ago, printable, time } from "../../lib/format.js";
import { createLoader } from "../../lib/retry.js";
import { address } from "../../lib/router.js";
import { holdOrders } from "../../orders/holds.js";

/**
 * What an order is about: what to call it, where its jobs are, and what a pause does to it.
 * @param {string} target
 * @param {Map<string, string>} labels what people call batches, by id
 */
function subject(target, labels) {
  const dot = target.indexOf(".");
  const kind = target.slice(0, dot);
  const name = target.slice(dot + 1);
  if (kind === "queue") return { name, title: `Queue ${name}`, paused: "is paused", link: address("jobs", { queue: name }) };
  if (kind === "worker") return { name, title: name, paused: "takes no more jobs", link: address("jobs", { worker: name }) };
  return { name, title: `Batch ${labels.get(name) ?? name.slice(0, 8)}`, paused: "is paused", link: address("jobs", { batch: name }) };
}

/**
 * @param {Hold} first
 * @param {ReturnType<typeof holdOrders>} orders
 * @returns {Row<Hold, [Map<string, string>]>}
 */
function holdRow({ target }, orders) {
  const link = h("a", { class: "name" });
  const words = h("span");
  const since = h("time", { class: "soft" });
  const resume = button("Resume", { class: "button small" });
  const hours = button("Hours…", { class: "button small" });
  const free = button("Take back hours", { class: "button small" });
  const actions = h("span", { class: "end act" }, resume, " ", hours, " ", free);
  resume.addEventListener("click", () => orders.pause(target, false));
  hours.addEventListener("click", () => orders.askHours(target.slice("worker.".length)));
  free.addEventListener("click", () => orders.leaveHours(target.slice("worker.".length)));
  return {
    element: h("li", { class: "line", "data-target": target }, link, words, since, actions),
    update(hold, labels) {
      const about = subject(target, labels);
      say(link, printable(about.title));
      set(link, "href", about.link);
      say(words, [hold.paused ? about.paused : "", hold.hours ? `starts jobs ${hold.hours}` : ""].filter(Boolean).join(" · "));
      say(since, ago(hold.since, Date.now()));
      set(since, "datetime", hold.since);
      set(since, "title", time(hold.since, Date.now()));
      resume.hidden = !hold.paused;
      hours.hidden = !target.startsWith("worker.");
      free.hidden = !hold.hours;
      set(resume, "aria-label", printable(`Resume ${about.title}`));
      set(hours, "aria-label", `Hours of ${about.name}`);
      set(free, "aria-label", `Take back the hours of ${about.name}`);
    },
  };
}

/** @param {Deps} deps */
export function activeHolds(deps) {
  const { api, state } = deps;
  const list = h("ul", { class: "rows orders" });
  const none = h("p", { class: "empty none" }, "Nothing is paused, and no worker’s hours are changed.");
  /**
   * @param {string} page
   * @param {string} words
   */
  const link = (page, words) => h("a", { href: address(page) }, words);
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "orders-title" },
    h("h2", { id: "orders-title" }, "Active holds"),
    h(
      "p",
      { class: "hint" },
      "In force until they are taken back. Pause queues on the ",
      link("", "overview"),
      " and ",
      link("batches", "batches"),
      "; drain ",
      link("workers", "workers"),
      " and set their hours there.",
    ),
    list,
    none,
  );
  const orders = holdOrders(deps);
  const update = keyedList(list, (hold) => hold.target, (/** @type {Hold} */ hold) => holdRow(hold, orders));
  /** @type {Map<string, string>} */
  let labels = new Map();
  /** @type {Hold[]} */
  let holds = [];

  function draw() {
    none.hidden = holds.length > 0;
    update(holds, labels);
  }

  const batches = createLoader(
    () => api.get("/batches"),
    (found) => {
      labels = new Map(found.map(({ id, label }) => [id, label]));
      draw();
    },
  );
  const unwatch = state.watch(({ controls }) => {
    const isOther = JSON.stringify(controls) !== JSON.stringify(holds);
    holds = controls;
    draw();
    const isUnnamed = ({ target = "" }) => target.startsWith("batch.") && !labels.has(target.slice(6));
    if (isOther && holds.some(isUnnamed)) batches.load();
  });

  return {
    element,
    unmount() {
      unwatch();
      batches.stop();
    },
  };
}
