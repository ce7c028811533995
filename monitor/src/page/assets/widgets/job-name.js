// @ts-check
// How every list names a job.

/** @import { JobName } from "#types" */

import { h, say, set } from "../lib/dom.js";
import { printable } from "../lib/format.js";
import { differences, splitName } from "../lib/names.js";
import { address } from "../lib/router.js";

/**
 * A name on one line, whatever its owner put into it. `names` are those of its list, as `namesOf` gives them.
 */
export function jobName() {
  const pieces = ["stem", "key", "rest", "tail"].map((part) => h("bdi", { class: part }));
  const element = h("span", { class: "name" }, ...pieces);
  return {
    element,
    /**
     * @param {{ name: string }} job
     * @param {Map<string, number>} names
     */
    update(job, names) {
      const text = printable(job.name);
      const parts = splitName(text, names.get(text));
      pieces.forEach((piece, at) => say(piece, parts[at] ?? ""));
      set(element, "title", text);
    },
  };
}

/**
 * The names of a list of jobs, and where each differs from the others.
 * @param {{ job: JobName }[]} items
 */
export const namesOf = (items) => differences(items.map(({ job }) => printable(job.name)));

/** The same, as a link to all about the job. */
export function jobLink() {
  const name = jobName();
  const element = h("a", { class: "job-link", draggable: "false" }, name.element);
  return {
    element,
    /**
     * @param {JobName} job
     * @param {Map<string, number>} names
     */
    update(job, names) {
      name.update(job, names);
      set(element, "href", address(`jobs/${job.id}`));
    },
  };
}

/** Where a job's input lies. */
export function jobFolder() {
  const element = h("bdi", { class: "folder" });
  return {
    element,
    /** @param {JobName} job */
    update(job) {
      const text = printable(job.folder);
      say(element, text);
      set(element, "title", text);
    },
  };
}

/** A queue or an encoder. */
export function chip() {
  const name = h("span", { class: "mono" });
  return {
    element: h("span", { class: "chip" }, name),
    /** @param {string} text */
    update: (text) => say(name, text),
  };
}
