// @ts-check
// What a check has found: in words, and on a bar that is as long as the file.

/** @import { Report } from "#types" */

import { h, say, set } from "../../lib/dom.js";
import { clock, plural, printable } from "../../lib/format.js";

/** The least share of the bar that a place takes, in percent: a shorter one could not be seen. */
const LEAST = 0.5;

/**
 * @param {{ health: HTMLElement, healthBar: HTMLElement, verdict: Element, damage: Element }} parts
 * @param {Report | undefined} report
 */
export function showHealth(parts, report) {
  const health = report?.health;
  parts.health.hidden = !health;
  if (!health || !report) return;
  const found = health.damage ?? [];
  const places = found.length + (health.more ?? 0);
  const how = health.depth === "quick" ? "A quick check: a few places were decoded." : "Every track was decoded.";
  set(parts.health, "data-damaged", places ? "" : null);
  say(parts.verdict, places ? `Damaged in ${plural(places, "place")}. ${how}` : `No damage was found. ${how}`);
  const length = Math.max(report.duration, ...found.map(({ to }) => to), 0);
  parts.healthBar.hidden = !(length > 0);
  const words = places ? `Damaged places of a file of ${clock(length)}` : `A file of ${clock(length)} without damage`;
  set(parts.healthBar, "aria-label", words);
  parts.healthBar.replaceChildren(
    ...found
      .filter(({ to }) => to > 0)
      .map(({ from, to, what }) => {
        const mark = h("span", { class: "mark", title: printable(what) });
        const wide = Math.max(((to - from) / length) * 100, LEAST);
        mark.style.left = `${Math.min((from / length) * 100, 100 - wide)}%`;
        mark.style.width = `${wide}%`;
        return mark;
      }),
  );
  parts.damage.replaceChildren(
    ...found.map(({ from, to, what }) => {
      const when = to > 0 ? `${clock(from)}–${clock(to)} ` : "";
      return h("li", {}, h("span", { class: "soft" }, when), printable(what));
    }),
  );
}
