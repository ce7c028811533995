// Jobs that a worker is at.

import { h, say, set } from "../dom.js";
import { age, bitrate, bytes, duration, fps, percent, printable, speed } from "../format.js";
import { chip, jobList, jobLink } from "./job.js";

const STAGES = {
  reading: "Reading",
  encoding: "Encoding",
  verifying: "Checking the result",
  publishing: "Publishing",
};

function row(item) {
  const name = jobLink();
  const share = h("span", { class: "end percent" });
  const bar = h("progress", { max: 1 });
  const stage = h("span", { class: "stage" });
  const figures = h("span", {});
  const sizes = h("span", {});
  const worker = h("span", {});
  const attempt = h("span", { class: "warning" });
  const eta = h("span", { class: "end eta" });
  const element = h(
    "li",
    {},
    h("div", { class: "line" }, name.element, share),
    bar,
    h(
      "div",
      { class: "line" },
      h("div", { class: "facts" }, stage, figures, sizes, chip(item.queue), worker, attempt),
      eta,
    ),
  );
  return {
    element,
    update(item, now, names) {
      name.update(item.job, names);
      set(element, "data-stage", item.stage);
      set(bar, "value", item.fraction);
      set(bar, "aria-label", `${STAGES[item.stage]}: ${printable(item.job.name)}`);
      say(share, item.fraction === null ? "" : percent(item.fraction));
      say(stage, STAGES[item.stage]);
      const isEncoding = item.stage === "encoding" && item.fps > 0;
      say(figures, isEncoding ? `${fps(item.fps)} · ${speed(item.speed)}` : "");
      say(
        sizes,
        isEncoding && item.output_size
          ? `${bytes(item.input_size)} → ${bytes(item.output_size)} · ${bitrate(item.bitrate)}`
          : bytes(item.input_size),
      );
      say(eta, item.eta === null ? "" : `about ${duration(item.eta)} left`);
      say(worker, `on ${item.worker} for ${age(item.since, now)}`);
      say(
        attempt,
        item.worker_lost ? "worker has fallen silent" : item.attempt > 1 ? `attempt ${item.attempt}` : "",
      );
    },
  };
}

const list = jobList("running", 24, row);

export const running = ({ running }, now) => list(running, running.length, now);
