// @ts-check
// The page's elements, before there is anything to show.

import { h, problemLine, scrolling, tableHead } from "../../lib/dom.js";

/** @type {[string, string][]} */
const SPANS = [["1", "last hour"], ["24", "last day"], ["168", "last week"], ["720", "last month"], ["2160", "last 90 days"]];

export function skeleton() {
  const span = h("select", {}, ...SPANS.map(([value, words]) => h("option", { value, selected: value === "24" }, words)));
  const csv = h("a", { class: "button", download: true }, "Export as CSV");
  const problem = problemLine();
  const charts = h("div", { class: "charts" });
  const lines = h("div", { class: "charts" });
  const overTime = h(
    "section",
    { class: "over-time", "aria-labelledby": "over-time-title", hidden: true },
    h("h3", { id: "over-time-title" }, "By worker and encoder over time"),
    h("p", { class: "hint" }, "The eight busiest; a dot where jobs were completed."),
    lines,
  );
  const empty = h("p", { class: "empty" }, "No job was completed in this time.");
  const workers = h("tbody");
  const head = tableHead([
    ["Worker"],
    ["Encoder"],
    ["Jobs", "number"],
    ["Speed", "number"],
    ["Time per job", "number"],
    ["Size", "number"],
  ]);
  const table = h("table", { class: "sheet by-worker", hidden: true }, h("caption", {}, "By worker and encoder"), head, workers);
  const failures = h("ul", { class: "failures" });
  const failureSection = h("section", { hidden: true }, h("h3", {}, "Why jobs failed"), failures);
  const element = h(
    "section",
    { class: "panel history", "aria-labelledby": "history-title" },
    h("h2", { id: "history-title" }, "History"),
    h("p", { class: "filters" }, h("label", {}, "Time ", span), csv),
    problem,
    charts,
    overTime,
    empty,
    scrolling("By worker and encoder", table),
    failureSection,
  );
  return { element, span, csv, problem, charts, lines, overTime, empty, workers, table, failures, failureSection };
}
