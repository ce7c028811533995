// @ts-check
// The same frame of a job's input and of its output, one above the other, with a divider between them.

/** @import { Deps, Job, Report } from "#types" */

import { requestAddress } from "../../lib/api.js";
import { button, h, say, set } from "../../lib/dom.js";
import { clock } from "../../lib/format.js";
import { createStage } from "./stage.js";

/** Where the first frame is taken, as a share of the length. */
const FIRST = 0.3;

/** @typedef {"input" | "output"} Side */

/** @param {Deps} deps */
export function frameSlider({ api }) {
  const stage = createStage();
  const back = {
    second: button("−1 s", { class: "button small", title: "One second back" }),
    frame: button("−1 frame", { class: "button small", "data-step": "back", title: "One frame back (,)" }),
  };
  const forth = {
    frame: button("+1 frame", { class: "button small", "data-step": "forth", title: "One frame on (.)" }),
    second: button("+1 s", { class: "button small", title: "One second on" }),
  };
  const time = h("output", { class: "mono" });
  const zoom = h("input", { type: "range", min: 1, max: 8, step: 0.5, value: 1, name: "zoom" });
  const status = h("p", { class: "soft", role: "status" });
  const controls = h("p", { class: "frame-controls" }, back.second, back.frame, time, forth.frame, forth.second, h("label", {}, "Zoom ", zoom));
  const element = h("details", { class: "frame-slider", hidden: true }, h("summary", {}, "Compare frame by frame"), stage.element, controls, status);

  let job = "";
  let length = 0;
  let at = 0;
  let turn = 0;
  /** The times of the frames around, as far as they are known. @type {number[]} */
  let times = [];

  /**
   * A picture, once it is there. A busy worker may have had no time for it: it is asked for twice.
   * @param {Side} side
   * @param {number} tries
   * @returns {Promise<string>}
   */
  function picture(side, tries = 2) {
    const source = requestAddress("/jobs/{job}/frame", { job, side, at });
    return new Promise((done, failed) => {
      const probe = new Image();
      probe.addEventListener("load", () => done(source));
      probe.addEventListener("error", () => {
        if (tries > 1) setTimeout(() => picture(side, tries - 1).then(done, failed), 1500);
        else failed(new Error(`There is no picture of the ${side} at ${clock(at)}.`));
      });
      probe.src = source;
    });
  }

  async function load() {
    turn += 1;
    const mine = turn;
    say(time, `${clock(at)} + ${Math.round((at % 1) * 1000)} ms`);
    say(status, "Loading…");
    stage.element.toggleAttribute("data-loading", true);
    try {
      // Both are shown at once: two different frames side by side would mislead.
      const [input, output] = await Promise.all([picture("input"), picture("output")]);
      if (mine !== turn) return;
      stage.show(input, output);
      say(status, "Left of the divider: the input. Right of it: the output. Arrow keys move the divider.");
      stage.element.removeAttribute("data-loading");
    } catch (problem) {
      if (mine !== turn) return;
      say(status, /** @type {Error} */ (problem).message);
      stage.element.removeAttribute("data-loading");
    }
  }

  /** @param {number} to */
  function go(to) {
    at = Number(Math.min(Math.max(to, 0), Math.max(length, 0)).toFixed(6));
    load();
  }

  /**
   * To the next frame or the one before, by the times of the output's frames.
   * @param {1 | -1} step
   */
  async function stepFrame(step) {
    const near = (/** @type {number} */ frame) => frame <= at + 0.0015;
    const here = () => times.filter(near).length - 1;
    const isKnown = () => here() >= 0 && times[here() + step] !== undefined;
    if (!isKnown()) {
      say(status, "Loading…");
      try {
        ({ times } = await api.get("/jobs/{job}/frames", { job, at }));
      } catch (problem) {
        say(status, /** @type {Error} */ (problem).message);
        return;
      }
    }
    const next = times[here() + step];
    if (next !== undefined) go(next);
    else say(status, step > 0 ? "This is the last frame." : "This is the first frame.");
  }

  back.second.addEventListener("click", () => go(at - 1));
  forth.second.addEventListener("click", () => go(at + 1));
  back.frame.addEventListener("click", () => stepFrame(-1));
  forth.frame.addEventListener("click", () => stepFrame(1));
  zoom.addEventListener("input", () => stage.zoom(Number(zoom.value)));
  stage.onZoom((level) => {
    zoom.value = String(level);
    set(zoom, "aria-valuetext", `${level} times`);
  });
  stage.onStep(stepFrame);
  element.addEventListener("toggle", () => {
    if (element.open && !stage.isShown()) go(FIRST * length);
  });

  return {
    element,
    /**
     * @param {Job} of
     * @param {Report | undefined} report
     */
    update(of, report) {
      const isEncode = !of.kind || of.kind === "encode";
      const hasVideo = report?.output_media?.tracks.some((track) => "video" in track) === true;
      const isJoined = (of.further ?? []).some(({ role }) => typeof role === "object" && "continuation" in role);
      element.hidden = !(isEncode && hasVideo && !isJoined);
      if (of.id === job) return;
      job = of.id;
      turn += 1;
      times = [];
      element.open = false;
      stage.clear();
      length = 0;
      if (report) ({ duration: length } = report);
    },
    unmount() {
      turn += 1;
    },
  };
}
