// @ts-check
// The samples of a film: how far they are, what the whole would take, and each clip beside its source.

/** @import { JobDetails, Mount, RunState, Sample, SampleForecast, Samples, State } from "#types" */

import { button, h, keyedList, problemLine, say, sayProblem, scrolling, set, tableHead } from "../../lib/dom.js";
import { bytes, capitalised, clock, duration, localTimes, percent, plural, printable, readableLocation, stateName } from "../../lib/format.js";
import { createLoader, soon } from "../../lib/retry.js";
import { frameSlider } from "../../widgets/frame-slider/slider.js";
import { quality, whole } from "./words.js";

/** Samples are loaded anew at most this often. In milliseconds. */
const INTERVAL = 300;

/** @param {(job: string) => void} compare */
function row(compare) {
  const cells = ["At", "Length", "Size", "Time", "Quality"].map((name) => h("td", { class: name === "Quality" ? null : "number" }));
  const status = h("span");
  const act = button("Compare with the source", { class: "button small", hidden: true });
  const element = h("tr", {}, ...cells, h("td", {}, status, act));
  let job = "";
  act.addEventListener("click", () => compare(job));
  return {
    element,
    /**
     * @param {Sample} sample
     * @param {State | null} state
     */
    update(sample, state) {
      ({ job } = sample);
      const { clip } = sample;
      const values = [clock(sample.from), clip && duration(clip.length), clip && bytes(clip.size), clip && duration(clip.seconds), quality(clip?.quality)];
      cells.forEach((cell, nth) => say(cell, values[nth] ?? ""));
      const live = state?.running.find((running) => running.job.id === job);
      const share = typeof live?.fraction === "number" ? ` ${percent(live.fraction)}` : "";
      const words = sample.why ? `${stateName(sample.state)}: ${localTimes(sample.why)}` : `${stateName(sample.state)}${share}`;
      say(status, clip ? "" : capitalised(words));
      act.hidden = !clip;
      set(act, "aria-label", `Compare the sample at ${clock(sample.from)} with the source`);
    },
  };
}

/** @type {Mount} */
export function mount(element, deps) {
  const { api, state, whenStill } = deps;
  const slider = frameSlider(deps);
  const problem = problemLine();
  const title = h("h2", { id: "samples-title" });
  const film = h("p", { class: "soft film" });
  const bar = h("progress", { max: 1, "aria-label": "Samples that are encoded" });
  const status = h("p", { class: "soft", role: "status" });
  const forecast = h("p", { class: "whole", hidden: true });
  const body = h("tbody");
  const head = tableHead([["At", "number"], ["Length", "number"], ["Size", "number"], ["Time", "number"], ["Quality"], ["Clip"]]);
  const table = scrolling("Samples", h("table", { class: "sheet" }, head, body));
  const compared = h("h3", { hidden: true });
  const about = h("div", { class: "samples", hidden: true }, film, bar, status, forecast);
  const comparison = h("div", { class: "samples" }, compared, slider.element);
  element.append(h("section", { class: "panel", "aria-labelledby": "samples-title" }, title, problem, about, table, comparison));
  /** @type {Samples | null} */
  let shown = null;
  let batch = "";
  let turn = 0;

  /** Opens the frame slider on a clip. @param {string} job */
  async function compare(job) {
    turn += 1;
    const mine = turn;
    try {
      /** @type {JobDetails} */
      const { record } = await api.get("/jobs/{job}", { job });
      if (mine !== turn || !record.run) return;
      const { job: of, state: now } = record.run;
      /** @type {RunState} */
      const { completed } = typeof now === "object" ? now : {};
      slider.update(of, completed?.report);
      slider.element.open = true;
      const from = shown?.samples.find((sample) => sample.job === job)?.from ?? 0;
      compared.hidden = false;
      say(compared, `The sample at ${clock(from)}`);
      slider.element.scrollIntoView({ block: "nearest" });
    } catch (refusal) {
      if (mine === turn) sayProblem(problem, /** @type {Error} */ (refusal).message);
    }
  }

  const update = keyedList(body, (/** @type {Sample} */ sample) => sample.job, () => row(compare));

  /** @param {SampleForecast | null | undefined} told */
  function drawForecast(told) {
    forecast.hidden = !told;
    if (told) say(forecast, whole(told));
  }

  function draw() {
    about.hidden = table.hidden = !shown;
    if (!shown) return;
    const { label, input, length, samples, done } = shown;
    const ended = samples.filter(({ clip }) => clip).length;
    say(title, capitalised(printable(label)));
    say(film, input ? `${readableLocation(input)}, ${duration(length)}` : duration(length));
    bar.hidden = done;
    const live = samples.map(({ job }) => state.current?.running.find((running) => running.job.id === job)?.fraction ?? 0);
    set(bar, "value", samples.length ? (ended + live.reduce((sum, share) => sum + share, 0)) / samples.length : 0);
    say(status, done ? `${plural(ended, "sample")} of ${samples.length} encoded.` : `${ended} of ${plural(samples.length, "sample")} encoded…`);
    drawForecast(shown.forecast);
    update(samples, state.current);
  }

  /** @type {{ load: () => void, stop: () => void } | null} */
  let loader = null;
  const later = soon(() => loader?.load(), INTERVAL);

  /** @param {string} of */
  function loaderOf(of) {
    return createLoader(
      () => api.get("/samples/{batch}", { batch: of }),
      (found) =>
        whenStill(() => {
          if (of !== batch) return;
          sayProblem(problem, null);
          shown = found;
          draw();
        }),
      ({ message }) =>
        whenStill(() => {
          if (of === batch) sayProblem(problem, message);
        }),
    );
  }

  let seen = -1;
  const unwatch = state.watch(({ listing }) => {
    if (listing.revision !== seen) later.call();
    seen = listing.revision;
    draw();
  });

  return {
    show({ path: [, of = ""] }) {
      loader?.stop();
      turn += 1;
      batch = of;
      shown = null;
      say(title, "Samples");
      draw();
      loader = loaderOf(of);
      loader.load();
    },
    unmount() {
      turn += 1;
      unwatch();
      later.cancel();
      loader?.stop();
      slider.unmount();
    },
  };
}
