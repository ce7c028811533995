// The broker's own figures, raw.

import { get } from "../api.js";
import { h, say } from "../dom.js";
import { bytes, count } from "../format.js";

const page = document.querySelector('[data-page="broker"]');
const server = page.querySelector(".server");
const streams = page.querySelector(".streams tbody");
const consumers = page.querySelector(".consumers tbody");
const problem = page.querySelector(".problem");

const number = (value) => h("td", { class: "number" }, count(value));

function replicas(row) {
  if (!row.leader) return "one server";
  const others = row.replicas.map((peer) => `${peer.name} ${peer.offline ? "offline" : peer.current ? "current" : `lags by ${count(peer.lag)}`}`);
  return [`${row.leader} leads`, ...others].join(", ");
}

function draw(state) {
  say(server, `nats-server ${state.version} · ${state.server}`);
  streams.replaceChildren(
    ...state.streams.map((row) =>
      h(
        "tr",
        {},
        h("th", { scope: "row", class: "mono", title: row.subjects.join(" ") }, row.name),
        number(row.messages),
        h("td", { class: "number" }, bytes(row.bytes)),
        number(row.first_sequence),
        number(row.last_sequence),
        number(row.consumers),
        h("td", {}, row.storage),
        h("td", {}, replicas(row)),
      ),
    ),
  );
  consumers.replaceChildren(
    ...state.consumers.map((row) =>
      h(
        "tr",
        {},
        h("th", { scope: "row", class: "mono" }, row.name),
        number(row.pending),
        number(row.ack_pending),
        number(row.redelivered),
        number(row.waiting),
        number(row.delivered),
        h("td", {}, row.leader ?? ""),
      ),
    ),
  );
}

async function ask() {
  try {
    draw(await get("jetstream"));
    problem.hidden = true;
  } catch (refusal) {
    problem.hidden = false;
    say(problem, refusal.message);
  }
}

/** The page is shown. */
export function broker() {
  ask();
  const timer = setInterval(() => document.hidden || ask(), 2000);
  return () => clearInterval(timer);
}
