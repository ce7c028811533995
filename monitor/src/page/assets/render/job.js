// How every list names a job, and shortens itself.

import { h, keyed, say, set } from "../dom.js";
import { count, printable } from "../format.js";
import { address } from "../router.js";

/** The end of a name is kept in sight: it says which episode, and what format. */
const TAIL = 12;

/** A job's name on one line, whatever its owner put into it. */
export function jobName() {
  const stem = h("bdi", { class: "stem" });
  const tail = h("bdi", { class: "tail" });
  const element = h("span", { class: "name" }, stem, tail);
  return {
    element,
    update(job) {
      const text = printable(job.name);
      // Only plain letters are safe to cut anywhere.
      const canCut = text.length > 2 * TAIL && /^[ -~]+$/.test(text.slice(-TAIL - 1));
      const at = canCut ? text.length - TAIL : text.length;
      say(stem, text.slice(0, at));
      say(tail, text.slice(at));
      set(element, "title", text);
    },
  };
}

/** The same, as a link to all about the job. */
export function jobLink() {
  const name = jobName();
  const element = h("a", { class: "job-link" }, name.element);
  return {
    element,
    update(job) {
      name.update(job);
      set(element, "href", address(`jobs/${job.id}`));
    },
  };
}

/** Where a job's input lies. */
export function folder() {
  const element = h("bdi", { class: "folder" });
  return {
    element,
    update(job) {
      const text = printable(job.folder);
      say(element, text);
      set(element, "title", text);
    },
  };
}

/** A queue or an encoder. */
export function chip(text) {
  return h("span", { class: "chip" }, h("span", { class: "mono" }, text));
}

/**
 * A section that lists jobs: shows the first few, and all on demand. `total`
 * is how many there are, which may be more than are listed.
 */
export function jobList(id, few, create) {
  const section = document.getElementById(id);
  const rows = section.querySelector(".rows");
  const counter = section.querySelector(".count");
  const empty = section.querySelector(".empty");
  let isOpen = false;
  let redraw = () => {};
  rows.id = `${id}-rows`;
  const more = h("button", { class: "more", type: "button", "aria-controls": rows.id });
  more.addEventListener("click", () => {
    isOpen = !isOpen;
    redraw();
  });
  section.append(more);
  return (items, total, now) => {
    redraw = () => {
      const shown = isOpen ? items : items.slice(0, few);
      keyed(rows, shown, (item) => item.job.id, create, now);
      say(counter, total ? count(total) : "");
      if (empty) empty.hidden = items.length > 0;
      else section.hidden = items.length === 0;
      more.hidden = items.length <= few;
      set(more, "aria-expanded", String(isOpen));
      const all = items.length < total ? `the first ${count(items.length)}` : `all ${count(items.length)}`;
      say(more, isOpen ? "Show fewer" : `Show ${all}`);
    };
    redraw();
  };
}
