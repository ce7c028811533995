// @ts-check
// All about one job.

/** @import { Change, JobDetails, Mount, RunState, State } from "#types" */

import { factRows, say, sayProblem, set } from "../../lib/dom.js";
import { capitalised, duration, fps, localTimes, percent, printable, speed, stateName, time } from "../../lib/format.js";
import { createLoader, soon } from "../../lib/retry.js";
import { jobChanges } from "../../changes/jobs.js";
import { changeList } from "../../widgets/changes.js";
import { fileComparison } from "../../widgets/file-comparison.js";
import { frameSlider } from "../../widgets/frame-slider/slider.js";
import { showHealth } from "./health.js";
import { chunkStrip } from "../../widgets/charts/split/strip.js";
import { madeBy } from "../../widgets/charts/split/words.js";
import { followLog } from "./log.js";
import { skeleton } from "./skeleton.js";
import { lastCommand, timelineRows } from "./timeline.js";

/** The job is loaded anew at most this often. In milliseconds. */
const INTERVAL = 500;

const ENDED = ["completed", "kept", "failed", "cancelled"];

/** @type {Mount} */
export function mount(element, deps) {
  const { api, state, whenStill } = deps;
  const change = jobChanges(deps);
  const comparison = fileComparison(deps);
  const slider = frameSlider(deps);
  const strip = chunkStrip(deps);
  const parts = skeleton(comparison.element, slider.element, strip.element);
  element.append(parts.element);
  let id = "";
  let priority = 0;
  let isKnown = false;
  let listed = "";
  /** @type {{ load: () => void, stop: () => void } | null} */
  let loader = null;
  /** @type {(() => void) | null} */
  let deafen = null;
  let seen = -1;

  /**
   * Drawn anew only where they differ: what is open stays open.
   * @param {Change[]} changes
   */
  function showChanges(changes) {
    const now = JSON.stringify(changes);
    if (now === listed) return;
    listed = now;
    parts.kept.hidden = changes.length === 0;
    parts.changes.replaceChildren(...changeList(changes));
  }

  /** @param {JobDetails} details */
  function draw({ name, state: word, record, why, events, home, ladder, attempt }) {
    const run = record.run ?? record.parked;
    const where = run ?? record.pending;
    if (!where) return;
    const { job, queue } = where;
    /** @type {RunState} */
    const { running, waiting, completed, failed } = typeof run?.state === "object" ? run.state : {};
    const report = completed?.report;
    ({ priority } = where);
    isKnown = true;
    say(parts.title, printable(name.name));
    say(parts.status, stateName(word));
    set(parts.status, "data-state", word);
    say(parts.reason, capitalised(localTimes(why)));
    parts.facts.replaceChildren(
      ...factRows([
        ["Queue", queue],
        ["Priority", String(priority)],
        ["Worker", running?.worker ?? (report && madeBy(report))],
        ["Not split", report?.split && "whole" in report.split ? printable(report.split.whole) : null],
        ["Attempts", `${attempt || "none"} of ${job.attempts}`],
        ["Enqueued", time(job.enqueued, Date.now())],
        ["Next attempt", waiting && time(waiting.until, Date.now())],
        ["Ladder", ladder && printable(`${ladder.master}: ${ladder.progress}`)],
        ["Original", report?.replaced && printable(`${report.replaced.original}, until ${time(report.replaced.until, Date.now())}`)],
        ["Batch", job.batch],
        ["Id", job.id],
      ]),
    );
    if (report?.split && "parts" in report.split) strip.update(id);
    comparison.update(job, report);
    slider.update(job, report);
    showHealth(parts, report);
    showChanges(report?.changes ?? []);
    parts.timeline.replaceChildren(...timelineRows(events));
    const command = lastCommand(events);
    parts.commandDetails.hidden = !command;
    say(parts.command, printable(command ?? ""));
    const failure = failed?.failure ?? run?.failures?.at(-1)?.failure;
    parts.failure.hidden = !failure;
    say(parts.failureReason, capitalised(localTimes(failure?.message ?? "")));
    say(parts.failureLog, (failure?.log ?? []).map(printable).join("\n"));
    parts.failureLog.hidden = !failure?.log?.length;
    say(parts.recipe, JSON.stringify(job.recipe, null, 2));
    const isOver = ENDED.includes(word);
    // Each button keeps its place: a pointer that aims at one must not meet another as the job goes on.
    parts.verbs.cancel.disabled = isOver;
    parts.verbs.retry.disabled = word !== "failed" && word !== "cancelled";
    parts.verbs.prioritise.disabled = isOver || word === "running";
    parts.verbs.assign.disabled = isOver;
    parts.verbs.home.disabled = isOver || !home;
    parts.verbs.undo.hidden = !job.replacement;
    parts.verbs.undo.disabled = !report?.replaced;
  }

  /**
   * @param {keyof typeof parts.verbs} verb
   * @param {(jobs: string[]) => Promise<unknown>} act
   */
  function onClick(verb, act) {
    parts.verbs[verb].addEventListener("click", async () => {
      if (!isKnown) return;
      await act([id]);
      loader?.load();
    });
  }
  onClick("cancel", change.cancel);
  onClick("retry", change.retry);
  onClick("prioritise", (jobs) => change.reprioritize(jobs, priority));
  onClick("assign", change.chooseWorker);
  onClick("home", change.sendHome);
  onClick("undo", change.undo);

  /** @param {State} state */
  function followLive({ running }) {
    const live = running.find(({ job }) => job.id === id);
    parts.live.hidden = !live;
    if (live?.split) strip.update(id);
    if (!live) {
      deafen?.();
      deafen = null;
      return;
    }
    deafen ??= followLog(id, parts.log, parts.followed);
    const { stage, fraction, eta, fps: rate, speed: tempo } = live;
    set(parts.bar, "value", fraction);
    set(parts.bar, "aria-label", stage);
    const pace = rate ? `${fps(rate)} · ${speed(tempo ?? 0)}` : "";
    const share = typeof fraction === "number" ? percent(fraction) : "";
    const left = typeof eta === "number" ? `about ${duration(eta)} left` : "";
    say(parts.pace, [capitalised(stage), share, pace, left].filter(Boolean).join(" · "));
  }

  const later = soon(() => loader?.load(), INTERVAL);
  const unwatch = state.watch((state) => {
    followLive(state);
    if (state.listing.revision !== seen) later.call();
    seen = state.listing.revision;
  });

  function leave() {
    loader?.stop();
    deafen?.();
    deafen = null;
  }

  /** @param {string} job */
  function loaderOf(job) {
    return createLoader(
      /** @returns {Promise<JobDetails>} */
      () => api.get("/jobs/{job}", { job }),
      (details) =>
        whenStill(() => {
          if (job !== id) return;
          sayProblem(parts.problem, null);
          parts.element.removeAttribute("data-unknown");
          draw(details);
        }),
      ({ message }) =>
        whenStill(() => {
          if (job !== id) return;
          sayProblem(parts.problem, message);
          // There is nothing to show of a job that does not exist, and nothing to do about it.
          parts.element.toggleAttribute("data-unknown", !isKnown);
        }),
    );
  }

  return {
    show({ path: [, job = ""] }) {
      leave();
      id = job;
      isKnown = false;
      strip.clear();
      parts.element.setAttribute("data-unknown", "");
      parts.log.hidden = true;
      parts.followed.replaceChildren();
      loader = loaderOf(job);
      loader.load();
      if (state.current) followLive(state.current);
    },
    unmount() {
      unwatch();
      later.cancel();
      leave();
      comparison.unmount();
      slider.unmount();
      strip.unmount();
    },
  };
}
