// The table of all jobs: the server filters, sorts and pages.

import { get } from "../api.js";
import { h, keyed, say, set } from "../dom.js";
import { ago, bytes, change, count, percent, plural, printable, time, told } from "../format.js";
import { note, order } from "../notes.js";
import { jobName, namesOf } from "../render/job.js";
import { address, place, refine } from "../router.js";
import { state, watch } from "../state.js";
import { whenStill } from "../still.js";
import { assign, cancel, chooseWorker, fits, reprioritise, retry, sendHome } from "../steer.js";
import { dropping } from "./drop.js";

const page = document.querySelector('[data-page="jobs"]');
const body = page.querySelector("tbody");
const tabs = page.querySelector(".tabs");
const filters = page.querySelector(".filters");
const actions = page.querySelector(".actions");
const summary = page.querySelector(".summary");
const chosen = actions.querySelector(".chosen");
const everything = actions.querySelector('[data-verb="all"]');
const orders = actions.querySelectorAll('button:not([data-verb="all"])');
const all = page.querySelector("thead input");
const pager = page.querySelector(".pager");
const empty = page.querySelector(".empty");
const listing = page.querySelector(".listing");

const PHASES = ["pending", "running", "waiting", "completed", "failed", "cancelled"];
/** Jobs of one page. */
const LIMIT = 50;
/** The table is asked for anew at most this often. */
const EVERY = 500;

let query = {};
let shown = { jobs: [], total: 0, phases: [] };
const selected = new Set();
/** All jobs that are asked for, not only those of the page, once a person chose them. */
let wide = null;
/** Where a range of rows begins, for shift. */
let anchor = 0;

function read() {
  const given = place().query;
  const text = (name, usual = "") => given.get(name) ?? usual;
  query = {
    phases: text("phases"),
    text: text("text"),
    queue: text("queue"),
    worker: text("worker"),
    batch: text("batch"),
    sort: text("sort", "enqueued"),
    descending: text("descending", given.has("sort") ? "false" : "true"),
    offset: Number(text("offset", "0")) || 0,
  };
}

/** Other jobs are wanted. */
function want(changes) {
  wide = null;
  query = { ...query, offset: 0, ...changes };
  refine("jobs", query);
  ask();
}

let asking = false;
let again = false;
let timer = 0;

/** What is asked for, as the server reads it. */
function words(more = {}) {
  const given = Object.entries({ ...query, ...more });
  return new URLSearchParams(given.filter(([, value]) => value !== ""));
}

async function ask() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  again = false;
  const asked = query;
  try {
    const answer = await get(`jobs?${words({ limit: LIMIT })}`);
    whenStill(() => {
      if (asked !== query) return;
      shown = answer;
      draw();
    });
  } catch (refusal) {
    say(summary, refusal.message);
  }
  asking = false;
  if (again) ask();
}

/** Soon, but not more often than is of use. */
function soon() {
  timer ||= setTimeout(() => {
    timer = 0;
    if (!document.hidden) ask();
  }, EVERY);
}

function tab(phase, jobs) {
  const words = phase === "" ? "All" : phase[0].toUpperCase() + phase.slice(1);
  const button = h("button", { class: "tab", type: "button" }, words, " ", h("span", { class: "count" }));
  button.addEventListener("click", () => want({ phases: phase }));
  return {
    element: button,
    update([, jobs]) {
      say(button.lastChild, count(jobs));
      set(button, "aria-pressed", String(query.phases === phase));
    },
  };
}

function row(item) {
  const box = h("input", { type: "checkbox" });
  const name = jobName();
  const link = h("a", { class: "job-link", draggable: "false" }, name.element);
  const where = h("bdi", { class: "folder soft" });
  const brief = h("span", { class: "brief soft" });
  const phase = h("span", { class: "phase" });
  const bar = h("progress", { max: 1 });
  const reason = h("span", { class: "why" });
  const queue = h("td", { class: "mono second" });
  const priority = h("td", { class: "number second" });
  const worker = h("td", { class: "second" });
  const size = h("td", { class: "number second" });
  const enqueued = h("td", { class: "number second" });
  const changed = h("td", { class: "number third" });
  const element = h(
    "tr",
    { tabindex: -1, draggable: "true" },
    h("td", {}, box),
    h("th", { scope: "row" }, link, where, brief),
    h("td", { class: "standing" }, phase, bar, reason),
    queue,
    priority,
    worker,
    size,
    enqueued,
    changed,
  );
  let job = item;
  box.addEventListener("click", (event) => choose(job.job.id, box.checked, event.shiftKey));
  element.addEventListener("dragstart", (event) => {
    if (!selected.has(job.job.id)) {
      selected.clear();
      selected.add(job.job.id);
      draw();
    }
    drag.start(event, chosenJobs());
  });
  return {
    element,
    update(item, names) {
      job = item;
      const now = Date.now();
      name.update(item.job, names);
      set(link, "href", address(`jobs/${item.job.id}`));
      say(where, printable(item.job.folder));
      set(where, "title", printable(item.job.folder));
      set(element, "data-id", item.job.id);
      set(element, "data-state", item.phase);
      set(element, "aria-selected", String(selected.has(item.job.id)));
      box.checked = selected.has(item.job.id);
      set(box, "aria-label", `Select ${printable(item.job.name)}`);
      const live = item.phase === "running" && state?.running.find((one) => one.job.id === item.job.id);
      bar.hidden = !live;
      if (live) {
        set(bar, "value", live.fraction);
        set(bar, "aria-label", live.stage);
      }
      say(phase, live ? `${live.stage}${live.fraction === null ? "" : ` ${percent(live.fraction)}`}` : item.phase);
      say(reason, item.reason ? told(item.reason) : "");
      set(reason, "title", item.reason ? told(item.reason) : null);
      say(queue, item.queue);
      set(queue, "title", item.home ? `${item.queue}; its recipe belongs to ${item.home}` : item.queue);
      say(priority, String(item.priority));
      say(worker, item.worker ?? "");
      set(worker, "title", item.worker);
      const sizes = item.output_size === null ? bytes(item.input_size) : `${bytes(item.input_size)} → ${bytes(item.output_size)}`;
      say(size, sizes);
      set(size, "title", item.output_size === null ? null : change(item.input_size, item.output_size));
      for (const [cell, at] of [[enqueued, item.enqueued], [changed, item.changed]]) {
        say(cell, ago(at, now));
        set(cell, "title", time(at, now));
      }
      // What has no room of its own on a narrow screen.
      say(brief, [item.worker ?? item.queue, sizes, ago(item.changed, now)].join(" · "));
    },
  };
}

/** What an order is about. */
const chosenJobs = () => wide ?? [...selected];

/** Chooses all that are asked for, on whatever page. */
async function chooseAll() {
  const found = await order(get(`jobs/ids?${words({ offset: 0 })}`));
  if (!found) return;
  if (found.jobs.length < found.total) note(`Only the first ${plural(found.jobs.length, "job")} of ${count(found.total)} can be chosen at once`, "bad");
  wide = found.jobs;
  draw();
}

function choose(id, isChosen, isRange) {
  wide = null;
  const ids = shown.jobs.map((item) => item.job.id);
  const at = ids.indexOf(id);
  const range = isRange ? ids.slice(Math.min(anchor, at), Math.max(anchor, at) + 1) : [id];
  for (const one of range) isChosen ? selected.add(one) : selected.delete(one);
  anchor = at;
  draw();
}

function draw() {
  const ids = new Set(shown.jobs.map((item) => item.job.id));
  // What is out of sight is not acted on.
  for (const id of selected) if (!ids.has(id)) selected.delete(id);
  if (selected.size === 0) wide = null;
  const sum = shown.phases.reduce((sum, [, jobs]) => sum + jobs, 0);
  keyed(tabs, [["", sum], ...shown.phases], ([phase]) => phase, ([phase]) => tab(phase));
  keyed(body, shown.jobs, (item) => item.job.id, row, namesOf(shown.jobs));
  const rows = [...body.children];
  if (!rows.some((element) => element.tabIndex === 0) && rows[0]) rows[0].tabIndex = 0;
  empty.hidden = shown.total > 0;
  const first = shown.jobs.length ? query.offset + 1 : 0;
  const last = query.offset + shown.jobs.length;
  say(summary, shown.total ? `${count(first)}–${count(last)} of ${plural(shown.total, "job")}` : "");
  const [back, forth] = pager.querySelectorAll("button");
  back.disabled = query.offset === 0;
  forth.disabled = last >= shown.total;
  all.checked = ids.size > 0 && selected.size === ids.size;
  all.indeterminate = selected.size > 0 && !all.checked;
  // The toolbar keeps its room, and each button its place: choosing a row must
  // not move that row under the pointer.
  const jobs = chosenJobs().length;
  actions.toggleAttribute("data-idle", jobs === 0);
  for (const button of orders) button.disabled = jobs === 0 || (!wide && button.dataset.verb in VERBS && able(button.dataset.verb).length === 0);
  say(chosen, jobs ? plural(jobs, "job") : "No job chosen");
  everything.toggleAttribute("data-unused", wide !== null || !all.checked || shown.total <= shown.jobs.length);
  say(everything, `Choose all ${count(shown.total)}`);
  for (const heading of page.querySelectorAll("th[data-sort]")) {
    const isHere = heading.dataset.sort === query.sort;
    set(heading, "aria-sort", isHere ? (query.descending === "true" ? "descending" : "ascending") : null);
  }
  const { text, queue, worker, batch } = filters.elements;
  if (document.activeElement !== text) text.value = query.text;
  options(queue, "Any queue", [...new Set([...(state?.queues ?? []).map((row) => row.queue), query.queue])], query.queue);
  options(worker, "Any worker", [...new Set([...(state?.workers ?? []).map((row) => row.name), query.worker])], query.worker);
  batch.parentElement.hidden = !query.batch;
  batch.value = query.batch;
}

function options(select, none, values, value) {
  const wanted = ["", ...values.filter(Boolean)];
  const offered = [...select.options].map((option) => option.value);
  if (offered.length !== wanted.length || offered.join() !== wanted.join()) {
    select.replaceChildren(...wanted.map((name) => h("option", { value: name }, name || none)));
  }
  select.value = value;
}

const drag = dropping(page.querySelector(".targets"), fits, async (jobs, worker) => {
  await assign(jobs, worker);
  ask();
});

const OPEN = ["pending", "running", "waiting"];
const OVER = ["failed", "cancelled"];

/** The buttons over the table, their keys, and the phases in which each can do something. */
const VERBS = {
  cancel: { key: "Delete", phases: OPEN, run: cancel },
  retry: { key: "r", phases: OVER, run: retry },
  prioritise: { key: "p", phases: ["pending", "waiting"], run: (jobs) => reprioritise(jobs, shown.jobs.find((item) => item.job.id === jobs[0])?.priority) },
  assign: { key: "a", phases: OPEN, run: chooseWorker },
  home: { key: "h", phases: OPEN, isFor: (item) => item.home !== null, run: sendHome },
};

/** The chosen jobs of this page for which an order can do something. */
function able(verb) {
  const { phases, isFor = () => true } = VERBS[verb];
  const items = shown.jobs.filter((item) => selected.has(item.job.id) && phases.includes(item.phase) && isFor(item));
  return items.map((item) => item.job.id);
}

/** The same of all that are chosen, on whatever page. */
async function ableOfAll(verb) {
  const asked = query.phases ? query.phases.split(",") : PHASES;
  const phases = VERBS[verb].phases.filter((phase) => asked.includes(phase));
  if (phases.length === 0) return [];
  const found = await order(get(`jobs/ids?${words({ offset: 0, phases: phases.join() })}`));
  const chosen = new Set(wide);
  return found ? found.jobs.filter((job) => chosen.has(job)) : null;
}

async function act(verb) {
  if (chosenJobs().length === 0 || document.body.classList.contains("reader")) return;
  const found = wide ? await ableOfAll(verb) : able(verb);
  if (!found) return;
  // Where none seems to be, the server knows best, and says why.
  const jobs = found.length ? found : chosenJobs();
  await VERBS[verb].run(jobs);
  // Done with, most of them out of sight.
  if (wide) selected.clear();
  draw();
  ask();
}

actions.addEventListener("click", (event) => {
  const verb = event.target.closest("button")?.dataset.verb;
  if (verb === "all") chooseAll();
  else if (verb === "none") {
    wide = null;
    selected.clear();
    draw();
  } else if (verb) act(verb);
});

all.addEventListener("change", () => {
  wide = null;
  for (const item of shown.jobs) all.checked ? selected.add(item.job.id) : selected.delete(item.job.id);
  draw();
});

page.querySelector("thead").addEventListener("click", (event) => {
  const sort = event.target.closest("th[data-sort]")?.dataset.sort;
  if (!sort || event.target.tagName !== "BUTTON") return;
  const isSame = sort === query.sort;
  const usual = sort === "name" ? "false" : "true";
  want({ sort, descending: isSame ? String(query.descending !== "true") : usual });
});

pager.addEventListener("click", (event) => {
  const step = Number(event.target.closest("button")?.dataset.step);
  if (step) want({ offset: Math.max(0, query.offset + step * LIMIT) });
});

let typing = 0;
filters.addEventListener("input", (event) => {
  clearTimeout(typing);
  const { name, value } = event.target;
  typing = setTimeout(() => want({ [name]: value }), name === "text" ? 200 : 0);
});
filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("reset", () => want({ text: "", queue: "", worker: "", batch: "" }));

// Rows by keyboard: arrows walk, space chooses, enter opens.
body.addEventListener("keydown", (event) => {
  const here = event.target.closest("tr");
  if (!here || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = { ArrowDown: here.nextElementSibling, ArrowUp: here.previousElementSibling }[event.key];
  if (next) {
    here.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    if (event.shiftKey) choose(next.dataset.id, true, false);
  } else if (event.key === " " && event.target === here) {
    choose(here.dataset.id, !selected.has(here.dataset.id), event.shiftKey);
  } else if (event.key === "Enter" && event.target === here) {
    here.querySelector("a").click();
  } else {
    const verb = Object.keys(VERBS).find((verb) => VERBS[verb].key === event.key);
    if (!verb || event.target !== here) return;
    if (selected.size === 0) choose(here.dataset.id, true, false);
    act(verb);
  }
  event.preventDefault();
});

/** The page is shown. */
export function jobs() {
  read();
  wide = null;
  selected.clear();
  draw();
  ask();
  let seen = null;
  return watch((state) => {
    drag.workers(state.workers);
    const { complete, fraction, revision } = state.listing;
    listing.hidden = complete;
    say(listing, `Listing all jobs: ${percent(fraction)}`);
    if (revision !== seen) soon();
    seen = revision;
    // Bars move although the list stays as it is.
    if (shown.jobs.some((item) => item.phase === "running")) draw();
  });
}
