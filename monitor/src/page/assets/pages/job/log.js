// @ts-check
// The log of a running job, as it is written.

import { requestAddress } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { printable } from "../../lib/format.js";

/** Lines that are kept in sight. */
const LINES = 500;

/**
 * Follows the log of a job; returns how to stop that.
 * @param {string} job
 * @param {HTMLElement} section shown from the first line on
 * @param {HTMLElement} element
 */
export function followLog(job, section, element) {
  const source = new EventSource(requestAddress("/jobs/{job}/log", { job }));
  source.addEventListener("line", (event) => {
    const isAtEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 4;
    section.hidden = false;
    element.append(h("span", {}, `${printable(JSON.parse(event.data))}\n`));
    while (element.children.length > LINES) element.firstChild?.remove();
    if (isAtEnd) element.scrollTop = element.scrollHeight;
  });
  return () => source.close();
}
