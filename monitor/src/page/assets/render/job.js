// How every list names a job, and shortens itself.

import { apart, parts } from "../apart.js";
import { h, keyed, say, set } from "../dom.js";
import { count, printable } from "../format.js";
import { address } from "../router.js";

/**
 * A job's name on one line, whatever its owner put into it. `names` are those of
 * its list, as `namesOf` gives them.
 */
export function jobName() {
  const pieces = ["stem", "key", "rest", "tail"].map((part) => h("bdi", { class: part }));
  const element = h("span", { class: "name" }, ...pieces);
  return {
    element,
    update(job, names) {
      const text = printable(job.name);
      parts(text, names?.get(text)).forEach((part, at) => say(pieces[at], part));
      set(element, "title", text);
    },
  };
}

/** The names of a list of jobs, and where each differs from the others. */
export const namesOf = (items) => apart(items.map((item) => printable(item.job.name)));

/** The same, as a link to all about the job. */
export function jobLink() {
  const name = jobName();
  const element = h("a", { class: "job-link" }, name.element);
  return {
    element,
    update(job, names) {
      name.update(job, names);
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
      keyed(rows, shown, (item) => item.job.id, create, now, namesOf(shown));
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
