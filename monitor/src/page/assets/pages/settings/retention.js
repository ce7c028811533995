// @ts-check
// How long history is kept.

/** @import { Deps } from "#types" */

import { h, say } from "../../lib/dom.js";
import { duration, plural } from "../../lib/format.js";
import { question } from "../../widgets/dialog.js";

const DAY = 86400;

/** @typedef {{ days?: number | null, events: number, batches: number }} Retention seconds that are kept, and days as set here */

/** @param {number} seconds */
const span = (seconds) => (seconds === 0 ? "ever" : seconds % DAY === 0 ? plural(seconds / DAY, "day") : duration(seconds));

/** @param {Retention} retention */
function words({ days, events, batches }) {
  const both = events === batches ? `Kept for ${span(events)}.` : `Events of jobs are kept for ${span(events)}, batches for ${span(batches)}.`;
  const isOther = typeof days === "number" && (events !== days * DAY || batches !== days * DAY);
  return isOther ? `${both} Here it was set to ${plural(days, "day")}; somebody changed the streams since.` : both;
}

/**
 * @param {Deps} deps
 * @param {() => void} reload shows how the settings are now
 */
export function retentionSettings({ api, notes }, reload) {
  const kept = h("span", { class: "kept" });
  const input = h("input", { type: "number", name: "days", min: 1, max: 3650, required: true });
  const form = h(
    "form",
    { class: "filters retention act" },
    h("label", {}, "Keep for ", input, " days"),
    h("button", { class: "button", type: "submit" }, "Set"),
  );
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "retention-title" },
    h("h2", { id: "retention-title" }, "History"),
    h(
      "p",
      { class: "hint" },
      kept,
      " History is the events of jobs, the data of the charts, and batches. The state of each job is kept for good: by it the farm knows a file that is done, and does not encode it twice.",
    ),
    form,
  );
  /** @type {Retention} */
  let shown = { events: 0, batches: 0 };
  /** What the farm's setting was when it was last shown. */
  let saved = "";

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const days = Number(input.value);
    const isShorter = [shown.events, shown.batches].some((seconds) => seconds === 0 || days * DAY < seconds);
    if (isShorter) {
      const warning = h("p", {}, "What is older is deleted at once, and cannot be brought back.");
      const sure = await question(`Keep history for ${plural(days, "day")} only?`, [warning], "Delete what is older", { tone: "bad" });
      if (!sure) return;
    }
    await notes.outcome(api.put("/settings/history", {}, { days }), `History is kept for ${plural(days, "day")}`);
    reload();
  });

  return {
    element,
    /** @param {Retention} retention */
    update(retention) {
      shown = retention;
      say(kept, words(retention));
      const now = String(Math.round(retention.events / DAY) || "");
      // What a person is typing is left alone.
      if (input.value === saved) input.value = now;
      saved = now;
    },
  };
}
