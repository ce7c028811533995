// @ts-check
// The page's elements, before there is anything to show.

import { button, h, problemLine } from "../../lib/dom.js";

/**
 * @param {Element} comparison of the job's input and output
 * @param {Element} slider the same frame of both
 * @param {Element} strip the parts of a split job
 */
export function skeleton(comparison, slider, strip) {
  const problem = problemLine();
  const title = h("h2");
  const status = h("span", { class: "status" });
  const reason = h("p", { class: "why" });
  const bar = h("progress", { max: 1 });
  const pace = h("p", { class: "soft", role: "status" });
  const live = h("div", { class: "live", hidden: true }, bar, pace);
  const verbs = {
    cancel: button("Cancel job", { "data-verb": "cancel", "data-tone": "bad" }),
    retry: button("Try again", { "data-verb": "retry" }),
    prioritise: button("Priority…", { "data-verb": "prioritise" }),
    assign: button("Assign to a worker…", { "data-verb": "assign" }),
    home: button("Back to its queue", { "data-verb": "home" }),
    undo: button("Put original back…", { "data-verb": "undo", "data-tone": "bad", hidden: true }),
  };
  const facts = h("dl", { class: "about" });
  const changes = h("div");
  const kept = h("section", { class: "kept", hidden: true }, h("h3", {}, "Kept, converted, lost"), changes);
  const healthBar = h("div", { class: "timebar", role: "img" });
  const damage = h("ul", { class: "damage" });
  const verdict = h("p", { class: "verdict" });
  const health = h("section", { class: "health", hidden: true }, h("h3", {}, "Health"), verdict, healthBar, damage);
  const failureReason = h("p", { class: "reason" });
  const failureLog = h("pre", { tabindex: 0 });
  const failure = h("section", { class: "log failure", hidden: true }, h("h3", {}, "Last failure"), failureReason, failureLog);
  const followed = h("pre", { class: "follow", tabindex: 0, role: "log" });
  const log = h("section", { class: "log", hidden: true }, h("h3", {}, "Live log"), followed);
  const timeline = h("ol", { class: "timeline" });
  const command = h("pre", { class: "command", tabindex: 0 });
  const commandDetails = h("details", { hidden: true }, h("summary", {}, "ffmpeg command line"), command);
  const recipe = h("pre", { class: "recipe", tabindex: 0 });
  const element = h(
    "article",
    { class: "panel job" },
    problem,
    h("div", { class: "line job-head" }, title, status),
    reason,
    live,
    strip,
    h("p", { class: "actions act", role: "toolbar", "aria-label": "Actions" }, ...Object.values(verbs)),
    facts,
    health,
    comparison,
    slider,
    kept,
    failure,
    log,
    h("h3", {}, "History"),
    timeline,
    commandDetails,
    h("details", {}, h("summary", {}, "Recipe"), recipe),
  );
  return {
    element,
    problem,
    title,
    status,
    reason,
    live,
    bar,
    pace,
    verbs,
    facts,
    health,
    healthBar,
    verdict,
    damage,
    kept,
    changes,
    failure,
    failureReason,
    failureLog,
    log,
    followed,
    timeline,
    command,
    commandDetails,
    recipe,
  };
}
