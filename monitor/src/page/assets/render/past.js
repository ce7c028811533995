// What a worker did in the last day, on its card.

import { h } from "../dom.js";
import { count, duration, fps, plural, speed } from "../format.js";
import { day, each, pace, tempo } from "../past.js";

const HEADS = [["Encoder"], ["Jobs", "number"], ["Pace", "number"], ["Speed", "number"], ["Time per job", "number"]];

function row({ encoder, sum }) {
  return h(
    "tr",
    {},
    h("th", { scope: "row", class: "mono" }, encoder),
    h("td", { class: "number" }, count(sum.completed)),
    h("td", { class: "number" }, sum.frames ? fps(pace(sum)) : "–"),
    h("td", { class: "number" }, sum.encode_seconds ? speed(tempo(sum)) : "–"),
    h("td", { class: "number" }, duration(each(sum))),
  );
}

function table(name, sums) {
  const head = h("tr", {}, ...HEADS.map(([label, kind]) => h("th", { scope: "col", class: kind }, label)));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `What ${name} did in the last day` },
    h("table", { class: "card" }, h("thead", {}, head), h("tbody", {}, ...sums.map(row))));
}

/** `{ element, update() }`: empty until the last day is known. */
export function past(name) {
  const element = h("div", { class: "past" });
  let shown = null;
  return {
    element,
    update() {
      if (day === shown) return;
      shown = day;
      const tally = day.workers.find(({ worker }) => worker === name);
      const words = tally
        ? `${plural(tally.completed, "job")} completed, ${count(tally.failed)} failed`
        : "no job ended here";
      const sums = day.by_worker.filter(({ worker }) => worker === name);
      element.replaceChildren(h("p", { class: "host" }, `In the last day: ${words}`), ...(sums.length ? [table(name, sums)] : []));
    },
  };
}
