// What was enqueued together, and what is paused.

import { get } from "../api.js";
import { apart } from "../apart.js";
import { h, keyed, say, set } from "../dom.js";
import { ago, count, duration, plural, printable, time } from "../format.js";
import { pause } from "../control.js";
import { jobName } from "../render/job.js";
import { address } from "../router.js";
import { state, watch } from "../state.js";
import { whenStill } from "../still.js";

const page = document.querySelector('[data-page="batches"]');
const list = page.querySelector(".rows");
const empty = page.querySelector(".empty");
const problem = page.querySelector(".problem");

/** How jobs end, in the order in which the bar shows them. */
const ENDED = ["completed", "failed", "cancelled"];

const labelOf = ({ label, id }) => label || id;

function row(item) {
  const label = jobName();
  const link = h("a", { class: "job-link" }, label.element);
  const when = h("time", { class: "end soft" });
  const bar = h("div", { class: "shares", role: "img" }, ...ENDED.map((phase) => h("span", { "data-phase": phase })));
  const words = h("span", {});
  const button = h("button", { class: "button act", type: "button" });
  const element = h("li", {}, h("div", { class: "line" }, link, when), bar, h("div", { class: "line" }, h("span", { class: "facts" }, words), h("span", { class: "end" }, button)));
  const target = `batch.${item.id}`;
  button.addEventListener("click", () => pause(target, button.dataset.paused !== "true"));
  return {
    element,
    update(item, labels) {
      const jobs = Object.fromEntries(item.phases);
      const all = Object.values(jobs).reduce((sum, jobs) => sum + jobs, 0);
      const over = jobs.completed + jobs.failed + jobs.cancelled;
      label.update({ name: labelOf(item) }, labels);
      set(link, "href", address("jobs", { batch: item.id }));
      say(when, ago(item.enqueued, Date.now()));
      set(when, "datetime", item.enqueued);
      set(when, "title", time(item.enqueued, Date.now()));
      ENDED.forEach((phase, nth) => (bar.children[nth].style.flexGrow = all ? jobs[phase] / all : 0));
      set(bar, "aria-label", `${count(over)} of ${plural(all, "job")} ended`);
      const told = item.phases.filter(([, jobs]) => jobs > 0).map(([phase, jobs]) => `${count(jobs)} ${phase}`);
      const left = item.eta === null ? [] : [`done in about ${duration(item.eta)}`];
      say(words, [plural(item.jobs, "job"), ...told, ...left].join(" · "));
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
      keyed(list, batches, (item) => item.id, row, apart(batches.map((item) => printable(labelOf(item)))));
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
