// @ts-check
// The files of a library: filtered, sorted and paged by the server.

/** @import { Deps, LibraryFile, LibraryRow } from "#types" */

import { button, h, offer, problemLine, say, sayProblem, scrolling, set } from "../../lib/dom.js";
import { bytes, change, count, plural, printable } from "../../lib/format.js";
import { createLoader, soon } from "../../lib/retry.js";
import { address, refine } from "../../lib/router.js";

/** Files of a page. */
const PAGE = 50;
/** Wait before a text that is being typed is searched for. In milliseconds. */
const TYPING = 250;

/** The columns by which files are sorted. */
const COLUMNS = /** @type {const} */ ([
  ["name", "File"],
  ["state", "State"],
  ["size", "Size"],
  ["codec", "Codec"],
  ["height", "Picture"],
  ["saved", "Result"],
]);

/** @typedef {typeof COLUMNS[number][0]} Column */

/** @param {LibraryFile} file */
function fileRow(file) {
  const { path, state, why, size, before, after, codec, width, height, hdr, job, damage, checked } = file;
  const reason = damage ?? why;
  const words = h("th", { scope: "row" }, h("bdi", {}, printable(path)), ...(reason ? [h("p", { class: "soft" }, printable(reason))] : []));
  const shown = job ? h("a", { href: address(`jobs/${job}`) }, state) : state;
  const health = damage ? h("span", { class: "status", "data-tone": "bad" }, "damaged") : checked ? h("span", { class: "soft" }, "sound") : "";
  const isDone = typeof before === "number" && typeof after === "number";
  return h(
    "tr",
    { "data-state": state },
    words,
    h("td", {}, shown, " ", health),
    h("td", { class: "number" }, bytes(size)),
    h("td", {}, codec ?? ""),
    h("td", {}, width && height ? `${width}×${height}${hdr ? ` ${hdr}` : ""}` : ""),
    h("td", { class: "number" }, isDone ? `${bytes(after)} (${change(before, after)})` : ""),
  );
}

/**
 * @param {Deps} deps
 * @param {string} library
 */
export function fileTable({ api, whenStill }, library) {
  const problem = problemLine();
  const text = h("input", { type: "search", name: "text", autocomplete: "off", spellcheck: "false" });
  const state = h("select", { name: "state" }, h("option", { value: "" }, "any"));
  const codec = h("select", { name: "codec" }, h("option", { value: "" }, "any"));
  const condition = h("input", { type: "search", name: "where", autocomplete: "off", spellcheck: "false", placeholder: "e.g. height > 1080 and size > 4 GB" });
  const damaged = h("input", { type: "checkbox", name: "damaged" });
  const form = h(
    "form",
    { class: "filters", role: "search", "aria-label": "Files" },
    h("label", {}, "Name ", text),
    h("label", {}, "State ", state),
    h("label", {}, "Codec ", codec),
    h("label", {}, "Condition ", condition),
    h("label", {}, damaged, " damaged"),
  );
  const heads = COLUMNS.map(([column, words]) => {
    const sort = button(words, { class: "button small sort", "data-sort": column });
    return h("th", { scope: "col" }, sort);
  });
  const body = h("tbody");
  const table = h("table", { class: "sheet files" }, h("thead", {}, h("tr", {}, ...heads)), body);
  const place = h("span", { class: "soft", role: "status" });
  const back = button("Back", { class: "button small" });
  const next = button("Next", { class: "button small" });
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "files-title" },
    h("h2", { id: "files-title" }, "Files"),
    form,
    problem,
    scrolling("Files of the library", table),
    h("p", { class: "choices" }, back, " ", next, " ", place),
  );
  /** @type {{ sort: Column, descending: boolean, offset: number }} */
  const order = { sort: "name", descending: false, offset: 0 };
  let total = 0;

  const asked = () => ({
    text: text.value,
    state: state.value,
    codec: codec.value,
    where: condition.value.trim(),
    damaged: damaged.checked ? "true" : "",
    sort: order.sort,
    descending: order.descending ? "true" : "",
    offset: order.offset,
  });

  const loader = createLoader(
    async () => {
      const query = asked();
      return { query, page: await api.get("/libraries/{library}/files", { library, limit: PAGE, ...query }) };
    },
    ({ query, page }) => {
      // Another question may be asked by now.
      if (JSON.stringify(query) !== JSON.stringify(asked())) return;
      whenStill(() => {
        sayProblem(problem, null);
        total = page.total;
        body.replaceChildren(...page.files.map(fileRow));
        const last = Math.min(total, order.offset + page.files.length);
        say(place, total ? `${count(order.offset + 1)}–${count(last)} of ${plural(total, "file")}` : "No such file.");
        back.disabled = order.offset === 0;
        next.disabled = last >= total;
      });
    },
    ({ message }) => sayProblem(problem, message),
  );

  function mark() {
    for (const head of heads) {
      const isSorted = head.querySelector("button")?.dataset.sort === order.sort;
      set(head, "aria-sort", isSorted ? (order.descending ? "descending" : "ascending") : null);
    }
  }

  function ask() {
    const { sort, offset, ...others } = asked();
    refine(`libraries/${library}`, { ...others, sort: sort === "name" ? "" : sort, offset: offset || "" });
    mark();
    loader.load();
  }

  function again() {
    order.offset = 0;
    ask();
  }

  const typed = soon(again, TYPING);
  text.addEventListener("input", typed.call);
  form.addEventListener("change", again);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const head of heads) {
    head.querySelector("button")?.addEventListener("click", ({ currentTarget }) => {
      const sort = /** @type {Column} */ (/** @type {HTMLElement} */ (currentTarget).dataset.sort);
      // What is large comes first.
      const isNumber = sort === "size" || sort === "height" || sort === "saved";
      order.descending = order.sort === sort ? !order.descending : isNumber;
      order.sort = sort;
      again();
    });
  }
  back.addEventListener("click", () => {
    order.offset = Math.max(0, order.offset - PAGE);
    ask();
  });
  next.addEventListener("click", () => {
    order.offset += PAGE;
    ask();
  });

  return {
    element,
    load: loader.load,
    /**
     * Offers what the library holds to choose from.
     * @param {LibraryRow["summary"]} summary
     */
    offer({ states, codecs }) {
      offer(state, [["", "any"], ...states.map(({ state }) => /** @type {[string, string]} */ ([state, state]))]);
      offer(codec, [["", "any"], ...codecs.filter(({ name }) => name !== "not known").map(({ name }) => /** @type {[string, string]} */ ([name, name]))]);
    },
    /** @param {URLSearchParams} query */
    show(query) {
      text.value = query.get("text") ?? "";
      for (const [select, value] of /** @type {const} */ ([[state, query.get("state")], [codec, query.get("codec")]])) {
        if (value && ![...select.options].some((option) => option.value === value)) select.append(h("option", { value }, value));
        select.value = value ?? "";
      }
      condition.value = query.get("where") ?? "";
      damaged.checked = query.get("damaged") === "true";
      const sort = COLUMNS.find(([column]) => column === query.get("sort"));
      order.sort = sort?.[0] ?? "name";
      order.descending = query.get("descending") === "true";
      order.offset = Number(query.get("offset")) || 0;
      mark();
      loader.load();
    },
    stop() {
      typed.cancel();
      loader.stop();
    },
  };
}
