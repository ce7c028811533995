// Whether what the page shows is true at this moment.

import { say, set } from "../dom.js";
import { time } from "../format.js";

const connection = document.getElementById("connection");
const words = connection.querySelector(".words");
const notice = document.getElementById("notice");

const WORDS = {
  connecting: "Connecting…",
  live: "Live",
  lost: "Connection lost, reconnecting…",
  away: "Broker out of reach",
};

export function connectionLine(state, link, now) {
  const broker = state?.broker;
  const condition = link !== "live" ? link : broker?.connected === false ? "away" : state ? "live" : "connecting";
  set(connection, "data-link", condition);
  say(words, WORDS[condition]);
  document.body.classList.toggle("stale", condition === "away" || condition === "lost");
  notice.hidden = condition !== "away";
  if (condition === "away") {
    say(
      notice,
      `Broker out of reach since ${time(broker.since, now)} (${broker.error}). ` +
        "Below is how things stood then; encodes that were running go on. This page recovers by itself.",
    );
  }
}
