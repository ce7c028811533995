// @ts-check
// Which workers could run a recipe, and how long that takes.

/** @import { Plan } from "#types" */

import { button, h } from "../../lib/dom.js";
import { duration, fps, plural, printable } from "../../lib/format.js";

/** @param {Plan["candidates"][number]} row */
function candidate({ worker, encoder, fps: rate, score, warnings }) {
  const pace = rate ? `, ${fps(rate)} at 1280×720` : "";
  return h(
    "li",
    { "data-fits": "true" },
    h("strong", {}, worker),
    `${encoder ? ` with ${encoder}` : ""}${pace} · score ${score}`,
    ...warnings.map((warning) => h("span", { class: "warning" }, ` · ${printable(warning)}`)),
  );
}

/**
 * @param {Plan} plan
 * @param {number} size bytes of all files
 * @param {(encoder: string) => void} use
 */
export function planWords({ candidates, unfit, alternatives }, size, use) {
  const lines = [];
  const best = candidates.find(({ measured }) => measured);
  if (candidates.length === 0) {
    lines.push(h("p", { class: "warning" }, "No live worker can run this: jobs would wait until one can."));
  } else if (best?.measured && size) {
    const { seconds_per_gigabyte: pace, jobs } = best.measured;
    lines.push(h("p", {}, `About ${duration((pace * size) / 1e9)} on ${best.worker} alone, estimated from ${plural(jobs, "recent job")}.`));
  }
  const unable = unfit.map(({ worker, reason }) =>
    h("li", { "data-fits": "false" }, h("strong", {}, worker), h("span", { class: "reason" }, ` ${printable(reason)}`)),
  );
  lines.push(h("ul", {}, ...candidates.map(candidate), ...unable));
  for (const { encoder, workers, fps: rate } of alternatives) {
    const instead = button(`Use ${encoder} instead`, { class: "button small" });
    instead.addEventListener("click", () => use(encoder));
    lines.push(h("p", {}, instead, ` proved on ${workers.join(", ")}, ${fps(rate)}`));
  }
  return lines;
}
