// @ts-check
// One library: what it holds, what is left to do, and its files.

/** @import { Deps, LibraryRow, Page } from "#types" */

import { button, factRows, h, problemLine, say, sayProblem } from "../../lib/dom.js";
import { bytes, count, plural, printable, readableLocation } from "../../lib/format.js";
import { createLoader, everySoOften } from "../../lib/retry.js";
import { address } from "../../lib/router.js";
import { question } from "../../widgets/dialog.js";
import { libraryEditor } from "./editor.js";
import { fileTable } from "./files.js";
import { couldSave, lastScan, stateOf, sumWords } from "./words.js";

/** In milliseconds. */
const INTERVAL = 2000;

/** @typedef {{ name: string, sum: { files: number, bytes: number } }} Share */

/**
 * Shares of all bytes as bars.
 * @param {string} title
 * @param {Share[]} shares
 */
function bars(title, shares) {
  const most = Math.max(1, ...shares.map(({ sum }) => sum.bytes));
  const row = (/** @type {Share} */ { name, sum }) => {
    const bar = h("span", { class: "bar-fill" });
    bar.style.width = `${(100 * sum.bytes) / most}%`;
    return h("li", {}, h("span", { class: "bar-name" }, printable(name)), h("span", { class: "bar-room", "aria-hidden": "true" }, bar), h("span", { class: "bar-words soft" }, sumWords(sum)));
  };
  return h("section", { class: "bars" }, h("h3", {}, title), h("ul", {}, ...shares.map(row)));
}

/** @param {LibraryRow} row */
function facts(row) {
  const { library, summary, scan, words } = row;
  const { results } = library;
  const where =
    "folder" in results ? readableLocation(results.folder) : `in the place of the sources, which go to ${readableLocation(results.replace.trash)} for ${plural(results.replace.days, "day")}`;
  return factRows([
    ["Location", readableLocation(library.location)],
    ["Recipe", printable(words)],
    ["Results", where],
    ["Schedule", library.schedule],
    ["Excluded", printable((library.exclude ?? []).join(", "))],
    ["Last scan", lastScan(row)],
    ["Problem", scan?.problem && printable(scan.problem)],
    ["Not read", printable((scan?.last?.unreadable ?? []).join("; "))],
    ["Files", sumWords(summary.all)],
    ["Left to do", sumWords(summary.to_do)],
    ["Saved", summary.done.files ? `${bytes(summary.saved)} by ${plural(summary.done.files, "file")}` : null],
    ["Could save", couldSave(summary)],
    ["Checked", summary.sound + summary.damaged ? `${count(summary.sound)} sound, ${count(summary.damaged)} damaged` : null],
  ]);
}

/**
 * @param {HTMLElement} element
 * @param {Deps} deps
 * @param {string} name
 * @returns {Page}
 */
export function libraryView(element, deps, name) {
  const { api, notes, whenStill } = deps;
  const problem = problemLine();
  const state = h("span", { class: "status", role: "status" });
  const scan = button("Scan now", { class: "button act" });
  const pause = button("Pause", { class: "button act" });
  const edit = button("Edit…", { class: "button act" });
  const remove = button("Remove…", { class: "button act", "data-tone": "bad" });
  const list = h("dl", { class: "library-facts" });
  const charts = h("div", { class: "library-bars" });
  const form = h("div", { class: "library-form" });
  const table = fileTable(deps, name);
  const panel = h(
    "section",
    { class: "panel", "aria-labelledby": "library-title" },
    h("p", { class: "trail" }, h("a", { href: address("libraries") }, "Libraries")),
    h("div", { class: "line head" }, h("h2", { id: "library-title" }, name), state, h("span", { class: "end choices" }, scan, " ", pause, " ", edit, " ", remove)),
    problem,
    form,
    list,
    charts,
  );
  element.append(h("div", { class: "column" }, panel, table.element));
  /** @type {LibraryRow | null} */
  let shown = null;
  /** @type {ReturnType<typeof libraryEditor> | null} */
  let editor = null;

  function close() {
    editor?.unmount();
    editor = null;
    form.replaceChildren();
  }

  /** @param {LibraryRow} row */
  function draw(row) {
    shown = row;
    const { summary, library } = row;
    sayProblem(problem, null);
    say(state, stateOf(row));
    say(pause, library.paused ? "Resume" : "Pause");
    scan.disabled = library.paused ?? false;
    list.replaceChildren(...facts(row));
    charts.replaceChildren(
      bars("Codec", summary.codecs),
      bars("Resolution", summary.resolutions),
      bars("Dynamic range", summary.hdr),
      bars("State", summary.states.map(({ state, sum }) => ({ name: state, sum }))),
    );
    table.offer(summary);
  }

  const loader = createLoader(
    () => api.get("/libraries/{library}", { library: name }),
    (row) => whenStill(() => draw(row)),
    ({ message }) => sayProblem(problem, message),
  );

  function load() {
    loader.load();
    table.load();
  }

  /** @param {Promise<unknown>} order */
  async function after(order) {
    await notes.outcome(order);
    load();
  }

  scan.addEventListener("click", () => after(api.put("/libraries/{library}/scan", { library: name })));
  pause.addEventListener("click", () => {
    const isPaused = shown?.library.paused;
    after(isPaused ? api.remove("/libraries/{library}/pause", { library: name }) : api.put("/libraries/{library}/pause", { library: name }));
  });
  edit.addEventListener("click", () => {
    if (!shown || editor) return;
    editor = libraryEditor(deps, shown, () => {
      close();
      load();
    });
    form.append(editor.element);
    editor.focus();
  });
  remove.addEventListener("click", async () => {
    if (!shown) return;
    const { revision } = shown;
    const words = h("p", {}, "Its jobs and all files stay. What is known of its files is forgotten.");
    const act = async () => {
      await api.remove("/libraries/{library}", { library: name, revision });
    };
    if (await question(`Remove the library ${name}?`, [words], "Remove", { tone: "bad", act })) location.hash = address("libraries");
  });
  const stop = everySoOften(load, INTERVAL);

  return {
    show({ query }) {
      table.show(query);
    },
    unmount() {
      stop();
      loader.stop();
      table.stop();
      close();
    },
  };
}
