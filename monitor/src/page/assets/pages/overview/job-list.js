// @ts-check
// A section that lists jobs: shows the first few, and all on demand.

/** @import { Deps, JobName, Row } from "#types" */

import { h, keyedList, say, set } from "../../lib/dom.js";
import { count } from "../../lib/format.js";
import { namesOf } from "../../widgets/job-name.js";

/**
 * @template {{ job: JobName }} T
 * @param {Deps} deps
 * @param {{ id: string, title: string, few: number, empty?: (Node | string)[] }} about without words for an empty list, the
 *   section is hidden then
 * @param {() => Row<T, [number, Map<string, number>]>} create
 */
export function jobList({ memory }, { id, title, few, empty }, create) {
  const counter = h("span", { class: "count" });
  const rows = h("ul", { class: "rows", id: `${id}-rows` });
  const more = h("button", { class: "more", type: "button", "aria-controls": rows.id });
  const none = empty && h("p", { class: "empty", hidden: true }, ...empty);
  const element = h(
    "section",
    { class: "panel", id, "aria-labelledby": `${id}-title`, tabindex: -1 },
    h("h2", { id: `${id}-title` }, `${title} `, counter),
    rows,
    ...(none ? [none] : []),
    more,
  );
  const updateRows = keyedList(rows, (/** @type {T} */ { job }) => job.id, create);
  const key = `open ${id}`;
  let redraw = () => {};
  more.addEventListener("click", () => {
    memory.set(key, !memory.get(key));
    redraw();
  });

  return {
    element,
    /**
     * @param {T[]} items
     * @param {number} total how many there are, which may be more than are listed
     * @param {number} now
     */
    update(items, total, now) {
      redraw = () => {
        const isOpen = memory.get(key) === true;
        const shown = isOpen ? items : items.slice(0, few);
        updateRows(shown, now, namesOf(shown));
        say(counter, total ? count(total) : "");
        if (none) none.hidden = items.length > 0;
        else element.hidden = items.length === 0;
        more.hidden = items.length <= few;
        set(more, "aria-expanded", String(isOpen));
        const all = items.length < total ? `the first ${count(items.length)}` : `all ${count(items.length)}`;
        say(more, isOpen ? "Show fewer" : `Show ${all}`);
      };
      redraw();
    },
  };
}
