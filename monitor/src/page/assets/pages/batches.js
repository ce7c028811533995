// What was enqueued together, and what is paused.

import { get } from "../api.js";
import { h, keyed, say, set } from "../dom.js";
import { ago, count, plural, printable, time } from "../format.js";
import { pause } from "../control.js";
import { address } from "../router.js";
import { state, watch } from "../state.js";
import { whenStill } from "../still.js";

const page = document.querySelector('[data-page="batches"]');
const list = page.querySelector(".rows");
const empty = page.querySelector(".empty");
const problem = page.querySelector(".problem");

function row(item) {
  const link = h("a", { class: "name" });
  const when = h("time", { class: "end soft" });
  const bar = h("progress", { max: 1 });
  const words = h("span", {});
  const button = h("button", { class: "button act", type: "button" });
  const element = h("li", {}, h("div", { class: "line" }, link, when), bar, h("div", { class: "line" }, h("span", { class: "facts" }, words), h("span", { class: "end" }, button)));
  const target = `batch.${item.id}`;
  button.addEventListener("click", () => pause(target, button.dataset.paused !== "true"));
  return {
    element,
    update(item) {
      const jobs = Object.fromEntries(item.phases);
      const all = Object.values(jobs).reduce((sum, jobs) => sum + jobs, 0);
      const over = jobs.completed + jobs.failed + jobs.cancelled;
      say(link, printable(item.label) || item.id);
      set(link, "href", address("jobs", { batch: item.id }));
      say(when, ago(item.enqueued, Date.now()));
      set(when, "datetime", item.enqueued);
      set(when, "title", time(item.enqueued, Date.now()));
      set(bar, "value", all ? over / all : 0);
      set(bar, "aria-label", "jobs ended");
      const told = item.phases.filter(([, jobs]) => jobs > 0).map(([phase, jobs]) => `${count(jobs)} ${phase}`);
      say(words, [plural(item.jobs, "job"), ...told].join(" · "));
      const isPaused = state?.controls.some((order) => order.target === target && order.paused);
      set(button, "data-paused", String(Boolean(isPaused)));
      say(button, isPaused ? "Resume" : "Pause");
      button.hidden = !isPaused && over === all;
    },
  };
}

async function ask() {
  try {
    const batches = await get("batches");
    whenStill(() => {
      problem.hidden = true;
      empty.hidden = batches.length > 0;
      keyed(list, batches, (item) => item.id, row);
    });
  } catch (refusal) {
    whenStill(() => {
      problem.hidden = false;
      say(problem, refusal.message);
    });
  }
}

/** The page is shown. */
export function batches() {
  let seen = null;
  let timer = 0;
  const stop = watch((state) => {
    const mark = JSON.stringify([state.listing.revision, state.controls]);
    if (mark !== seen) timer ||= setTimeout(() => ((timer = 0), ask()), seen ? 500 : 0);
    seen = mark;
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
