// Jobs that ended.

import { h, say, set } from "../dom.js";
import { ago, bytes, change, count, duration, fps, time, told } from "../format.js";
import { chip, jobList, jobLink } from "./job.js";

const SIGNS = { completed: "✓", failed: "✕", cancelled: "–" };

function row(item) {
  const name = jobLink();
  const sign = h("span", { class: "sign", role: "img" });
  const ratio = h("span", { class: "end" });
  const queue = chip("");
  const sizes = h("span", {});
  const pace = h("span", {});
  const worker = h("span", {});
  const when = h("time", { class: "end" });
  const note = h("p", { class: "indented" });
  const element = h(
    "li",
    {},
    h("div", { class: "line" }, sign, name.element, ratio),
    h("div", { class: "facts indented" }, queue, sizes, pace, worker, when),
    note,
  );
  return {
    element,
    update(item, now, names) {
      const { state, ...ending } = item.ending;
      name.update(item.job, names);
      set(element, "data-state", state);
      say(sign, SIGNS[state] ?? "?");
      set(sign, "aria-label", state);
      say(queue.firstChild, ending.encoder ?? item.queue);
      const isDone = state === "completed";
      const isSmaller = isDone && ending.output_size < ending.input_size;
      say(ratio, isDone ? change(ending.input_size, ending.output_size) : state);
      ratio.classList.toggle("shrunk", isSmaller);
      ratio.classList.toggle("soft", !isSmaller);
      say(sizes, isDone ? `${bytes(ending.input_size)} → ${bytes(ending.output_size)}` : "");
      say(pace, isDone ? `${duration(ending.seconds)}${ending.fps ? ` · ${fps(ending.fps)}` : ""}` : "");
      say(worker, item.worker ? `on ${item.worker}${item.attempts > 1 ? `, attempt ${item.attempts}` : ""}` : "");
      say(when, ago(item.ended, now));
      set(when, "datetime", item.ended);
      set(when, "title", time(item.ended, now));
      const words = state === "failed" ? ending.reason : ending.news ?? "";
      say(note, told(words) + (ending.further_news ? ` (and ${count(ending.further_news)} more)` : ""));
      set(note, "class", state === "failed" ? "indented reason" : "indented warning");
      set(note, "title", words.length > 200 ? told(words) : null);
      note.hidden = words === "";
    },
  };
}

const list = jobList("ended", 8, row);

export function ended({ recent, totals }, now) {
  list(recent, totals.completed + totals.failed + totals.cancelled, now);
}
