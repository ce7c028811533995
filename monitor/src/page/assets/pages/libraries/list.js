// @ts-check
// All libraries with their totals.

/** @import { Deps, LibraryRow, Page, Row } from "#types" */

import { button, h, keyedList, problemLine, say, sayProblem } from "../../lib/dom.js";
import { bytes, plural, readableLocation } from "../../lib/format.js";
import { createLoader, everySoOften } from "../../lib/retry.js";
import { address } from "../../lib/router.js";
import { libraryEditor } from "./editor.js";
import { stateOf, sumWords } from "./words.js";

/** In milliseconds. */
const INTERVAL = 2000;

/**
 * @param {LibraryRow} first
 * @returns {Row<LibraryRow, []>}
 */
function libraryRow({ name }) {
  const place = h("span", { class: "soft mono" });
  const state = h("span", { class: "status" });
  const files = h("span");
  const toDo = h("span");
  const saved = h("span");
  return {
    element: h(
      "li",
      { "data-name": name },
      h("div", { class: "line" }, h("a", { class: "job-link", href: address(`libraries/${name}`) }, h("strong", {}, name)), place, h("span", { class: "end" }, state)),
      h("div", { class: "facts" }, files, toDo, saved),
    ),
    update(row) {
      const { library, summary } = row;
      say(place, readableLocation(library.location));
      say(state, stateOf(row));
      say(files, sumWords(summary.all));
      say(toDo, `${plural(summary.to_do.files, "file")} left to do`);
      say(saved, summary.done.files ? `${bytes(summary.saved)} saved` : "");
    },
  };
}

/**
 * @param {HTMLElement} element
 * @param {Deps} deps
 * @returns {Page}
 */
export function librariesView(element, deps) {
  const { api, whenStill } = deps;
  const problem = problemLine();
  const rows = h("ul", { class: "rows" });
  const empty = h("p", { class: "empty", hidden: true }, "The farm keeps no library yet.");
  const add = button("Add a library…", { class: "button act" });
  const form = h("div", { class: "library-form" });
  const panel = h(
    "section",
    { class: "panel", "aria-labelledby": "libraries-title" },
    h("div", { class: "line head" }, h("h2", { id: "libraries-title" }, "Libraries"), h("span", { class: "end" }, add)),
    problem,
    form,
    rows,
    empty,
  );
  element.append(panel);
  const update = keyedList(rows, (row) => row.name, libraryRow);
  /** @type {ReturnType<typeof libraryEditor> | null} */
  let editor = null;

  function close() {
    editor?.unmount();
    editor = null;
    form.replaceChildren();
    add.hidden = false;
  }

  const loader = createLoader(
    () => api.get("/libraries"),
    (libraries) =>
      whenStill(() => {
        sayProblem(problem, null);
        empty.hidden = libraries.length > 0;
        update(libraries);
      }),
    ({ message }) => sayProblem(problem, message),
  );
  add.addEventListener("click", () => {
    editor = libraryEditor(deps, null, (name) => {
      close();
      if (name) location.hash = address(`libraries/${name}`);
    });
    form.append(editor.element);
    add.hidden = true;
    editor.focus();
  });
  const stop = everySoOften(loader.load, INTERVAL);

  return {
    show() {},
    unmount() {
      stop();
      loader.stop();
      close();
    },
  };
}
