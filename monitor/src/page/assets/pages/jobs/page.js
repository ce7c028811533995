// @ts-check
// The table of all jobs: the server filters, sorts and pages.

/** @import { JobsPage, Mount, Row, State } from "#types" */
/** @import { Query } from "./query.js" */
/** @import { Verb } from "./verbs.js" */

import { h, keyedList, offer, say, set } from "../../lib/dom.js";
import { capitalised, count, percent, plural, stateName } from "../../lib/format.js";
import { createLoader, soon } from "../../lib/retry.js";
import { refine } from "../../lib/router.js";
import { jobChanges } from "../../changes/jobs.js";
import { dropTargets } from "../../widgets/drop-targets.js";
import { namesOf } from "../../widgets/job-name.js";
import { walkRows } from "./keyboard.js";
import { LIMIT, readQuery } from "./query.js";
import { jobTableRow } from "./row.js";
import { createSelection } from "./selection.js";
import { skeleton } from "./skeleton.js";
import { ableOfAll, ableRows, changeJobs } from "./verbs.js";

/** The table is loaded anew at most this often. In milliseconds. */
const INTERVAL = 500;
/** Wait before a text that is being typed is searched for. In milliseconds. */
const TYPING = 200;

/** @type {Mount} */
export function mount(element, deps) {
  const { api, notes, session, state, whenStill } = deps;
  const change = jobChanges(deps);
  const selection = createSelection();
  const targets = dropTargets(change.fits, async (jobs, worker) => {
    await change.assign(jobs, worker);
    fetchJobs();
  });
  const parts = skeleton(targets.element);
  element.append(parts.element);
  /** @type {Query} */
  let query = readQuery(new URLSearchParams());
  /** @type {JobsPage} */
  let shown = { jobs: [], total: 0, states: [] };
  /** @type {string | null} why the table may be out of date */
  let problem = null;

  const loader = createLoader(
    async () => ({ asked: query, page: await api.get("/jobs", { ...query, limit: LIMIT }) }),
    ({ asked, page }) =>
      whenStill(() => {
        problem = null;
        if (asked !== query) return;
        shown = page;
        draw();
      }),
    ({ message }) => {
      problem = capitalised(message);
      say(parts.summary, problem);
    },
  );
  const fetchJobs = loader.load;
  const later = soon(() => document.hidden || fetchJobs(), INTERVAL);

  /** @param {Partial<Query>} changes */
  function setQuery(changes) {
    selection.forgetAll();
    query = { ...query, offset: 0, ...changes };
    refine("jobs", query);
    fetchJobs();
  }

  const updateTabs = keyedList(parts.tabs, ([name]) => name, tab);
  const updateRows = keyedList(
    parts.body,
    (row) => row.job.id,
    (/** @type {JobsPage["jobs"][number]} */ row) => jobTableRow(row, select, drag),
  );

  /**
   * @param {[string, number]} first
   * @returns {Row<[string, number]>}
   */
  function tab([name]) {
    const counter = h("span", { class: "count" });
    const words = name ? capitalised(stateName(name)) : "All";
    const element = h("button", { class: "tab", type: "button" }, `${words} `, counter);
    element.addEventListener("click", () => setQuery({ state: name }));
    return {
      element,
      update([, jobs]) {
        say(counter, count(jobs));
        set(element, "aria-pressed", String(query.state === name));
      },
    };
  }

  /**
   * @param {string} job
   * @param {boolean} isSelected
   * @param {boolean} isRange
   */
  function select(job, isSelected, isRange) {
    selection.toggle(shown.jobs, job, isSelected, isRange);
    draw();
  }

  /**
   * @param {DragEvent} event
   * @param {string} job
   */
  function drag(event, job) {
    if (!selection.has(job)) {
      selection.only(job);
      draw();
    }
    targets.start(event, selection.jobs());
  }

  function drawPager() {
    const first = shown.jobs.length ? query.offset + 1 : 0;
    const last = query.offset + shown.jobs.length;
    parts.empty.hidden = shown.total > 0;
    say(parts.summary, problem ?? (shown.total ? `${count(first)}–${count(last)} of ${plural(shown.total, "job")}` : ""));
    parts.back.disabled = query.offset === 0;
    parts.forth.disabled = last >= shown.total;
    for (const heading of parts.columns) {
      const order = query.descending === "true" ? "descending" : "ascending";
      set(heading, "aria-sort", heading.dataset.sort === query.sort ? order : null);
    }
  }

  /** The toolbar keeps its room, and each button its place: selecting a row must not move it under the pointer. */
  function drawActions() {
    const jobs = selection.jobs().length;
    const isWide = selection.all !== null;
    const rows = selection.rowCount();
    parts.all.checked = rows > 0 && rows === shown.jobs.length;
    parts.all.indeterminate = rows > 0 && !parts.all.checked;
    parts.actions.toggleAttribute("data-idle", jobs === 0);
    for (const [verb, button] of Object.entries(parts.verbs)) {
      button.disabled = jobs === 0 || (!isWide && ableRows(/** @type {Verb} */ (verb), shown.jobs, selection).length === 0);
    }
    parts.none.disabled = jobs === 0;
    say(parts.chosen, jobs ? plural(jobs, "job") : "No job selected");
    parts.everything.toggleAttribute("data-unused", isWide || !parts.all.checked || shown.total <= shown.jobs.length);
    say(parts.everything, `Select all ${count(shown.total)}`);
  }

  function drawFilters() {
    const { queues = [], workers = [] } = state.current ?? {};
    /**
     * @param {HTMLSelectElement} field
     * @param {string} none
     * @param {string[]} names
     * @param {string} chosen
     */
    const choices = (field, none, names, chosen) => {
      const all = [...new Set([...names, chosen])].filter(Boolean);
      offer(field, [["", none], ...all.map((name) => /** @type {[string, string]} */ ([name, name]))]);
      field.value = chosen;
    };
    if (document.activeElement !== parts.text) parts.text.value = query.text;
    choices(parts.queue, "Any queue", queues.map((row) => row.queue), query.queue);
    choices(parts.worker, "Any worker", workers.map((row) => row.name), query.worker);
    parts.health.value = query.health;
    parts.batchLabel.hidden = !query.batch;
    parts.batch.value = query.batch;
  }

  function draw() {
    selection.keep(shown.jobs);
    const sum = shown.states.reduce((sum, [, jobs]) => sum + jobs, 0);
    updateTabs([["", sum], ...shown.states]);
    const live = new Map(state.current?.running.map((row) => [row.job.id, row]));
    updateRows(shown.jobs, { names: namesOf(shown.jobs), isSelected: selection.has, live: (job) => live.get(job) });
    const rows = /** @type {HTMLTableRowElement[]} */ ([...parts.body.children]);
    if (rows[0] && !rows.some((row) => row.tabIndex === 0)) rows[0].tabIndex = 0;
    drawPager();
    drawActions();
    drawFilters();
  }

  /** Selects all jobs that the query finds, on whatever page. */
  async function selectAll() {
    const found = await notes.outcome(api.get("/jobs/ids", { ...query, offset: 0 }));
    if (!found) return;
    if (found.jobs.length < found.total) {
      notes.note(`Only the first ${plural(found.jobs.length, "job")} of ${count(found.total)} can be selected at once`, "bad");
    }
    selection.selectAll(found.jobs);
    draw();
  }

  /** @param {Verb} verb */
  async function act(verb) {
    const jobs = selection.jobs();
    if (jobs.length === 0 || session.isReader) return;
    const isWide = selection.all !== null;
    const able = isWide ? await ableOfAll(verb, deps, query, jobs) : ableRows(verb, shown.jobs, selection);
    if (!able) return;
    // If the change seems to suit none of the jobs, the server decides, and gives the reason.
    await changeJobs(verb, change, able.length ? able : jobs, shown.jobs);
    // Most of them are out of sight.
    if (isWide) selection.clear();
    draw();
    fetchJobs();
  }

  for (const [verb, button] of Object.entries(parts.verbs)) button.addEventListener("click", () => act(/** @type {Verb} */ (verb)));
  parts.everything.addEventListener("click", selectAll);
  parts.none.addEventListener("click", () => {
    selection.clear();
    draw();
  });
  parts.all.addEventListener("change", () => {
    selection.toggleRows(shown.jobs, parts.all.checked);
    draw();
  });
  for (const heading of parts.columns) {
    const { sort } = heading.dataset;
    heading.querySelector("button")?.addEventListener("click", () => {
      const usual = sort === "name" ? "false" : "true";
      setQuery({ sort, descending: sort === query.sort ? String(query.descending !== "true") : usual });
    });
  }
  for (const [button, step] of /** @type {[HTMLButtonElement, number][]} */ ([[parts.back, -1], [parts.forth, 1]])) {
    button.addEventListener("click", () => setQuery({ offset: Math.max(0, query.offset + step * LIMIT) }));
  }

  let typing = 0;
  parts.filters.addEventListener("input", (event) => {
    clearTimeout(typing);
    const { name, value } = /** @type {HTMLInputElement} */ (event.target);
    typing = setTimeout(() => setQuery({ [name]: value }), name === "text" ? TYPING : 0);
  });
  parts.filters.addEventListener("submit", (event) => event.preventDefault());
  parts.filters.addEventListener("reset", () => setQuery({ text: "", queue: "", worker: "", health: "", batch: "" }));
  walkRows(parts.body, {
    select,
    isSelected: selection.has,
    act(verb, job) {
      if (selection.rowCount() === 0) select(job, true, false);
      act(verb);
    },
  });

  let seen = -1;
  /** @param {State} state */
  function follow({ workers, listing: { complete, fraction, revision } }) {
    targets.update(workers);
    parts.listing.hidden = complete;
    say(parts.listing, `Listing all jobs: ${percent(fraction)}`);
    if (revision !== seen) later.call();
    seen = revision;
    // Bars move although the list stays as it is.
    if (shown.jobs.some((row) => row.state === "running")) draw();
  }
  const unwatch = state.watch(follow);

  return {
    show(route) {
      query = readQuery(route.query);
      selection.clear();
      draw();
      fetchJobs();
    },
    unmount() {
      unwatch();
      later.cancel();
      clearTimeout(typing);
      loader.stop();
      targets.unmount();
    },
  };
}
