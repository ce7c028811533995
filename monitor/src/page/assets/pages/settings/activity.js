// @ts-check
// Who changed what: the last changes of all people and programs, for operators.

/** @import { Deps } from "#types" */

import { h, problemLine, sayProblem, scrolling, tableHead } from "../../lib/dom.js";
import { printable, time } from "../../lib/format.js";
import { createLoader, everySoOften } from "../../lib/retry.js";

/** In milliseconds. */
const INTERVAL = 5000;

/** @typedef {{ when: string, who?: string | null, role: string, from: string, method: string, path: string, asked?: unknown, status: number, result?: string | null }} Change */

/** @param {Change} change */
function outcome({ status, result }) {
  if (result) return printable(result);
  return status < 300 ? "done" : `refused (${status})`;
}

/**
 * @param {Change} change
 * @param {number} now
 */
function row(change, now) {
  const asked = change.asked ? printable(JSON.stringify(change.asked)) : "";
  return h(
    "tr",
    {},
    h("td", {}, h("time", { datetime: change.when }, time(change.when, now))),
    h("td", { title: `${change.role}, from ${change.from}` }, change.who ?? change.role),
    h("td", { class: "mono" }, `${change.method} ${printable(change.path)}`),
    h("td", { class: "mono asked", title: asked }, asked),
    h("td", {}, outcome(change)),
  );
}

/** @param {Deps} deps */
export function activity({ api, clock }) {
  const problem = problemLine();
  const body = h("tbody");
  const none = h("p", { class: "hint" }, "Nobody has changed anything since the monitor began.");
  const table = scrolling("Changes", h("table", { class: "sheet" }, tableHead([["When"], ["Who"], ["What"], ["Asked"], ["Result"]]), body));
  const element = h("section", { class: "panel act", "aria-labelledby": "activity-title" }, h("h2", { id: "activity-title" }, "Activity"), problem, none, table);

  const loader = createLoader(
    () => api.get("/activity"),
    (changes) => {
      sayProblem(problem, null);
      none.hidden = changes.length > 0;
      table.hidden = changes.length === 0;
      body.replaceChildren(...changes.map((change) => row(change, clock.now())));
    },
    ({ message }) => sayProblem(problem, message),
  );
  const stop = everySoOften(loader.load, INTERVAL);
  return {
    element,
    unmount() {
      stop();
      loader.stop();
    },
  };
}
