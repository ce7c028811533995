// @ts-check
// The broker's own figures, raw.

/** @import { JetStream, Mount } from "#types" */

import { h, problemLine, say, sayProblem, scrolling, tableHead } from "../../lib/dom.js";
import { bytes, count } from "../../lib/format.js";
import { createLoader, everySoOften } from "../../lib/retry.js";

/** In milliseconds. */
const INTERVAL = 2000;

/** @param {number} value */
const number = (value) => h("td", { class: "number" }, count(value));

/** @param {JetStream["streams"][number]} row */
function replicas(row) {
  if (!row.leader) return "one server";
  const others = row.replicas.map((peer) => `${peer.name} ${peer.offline ? "offline" : peer.current ? "current" : `lags by ${count(peer.lag)}`}`);
  return [`${row.leader} leads`, ...others].join(", ");
}

/** @param {JetStream["streams"][number]} row */
const streamRow = (row) =>
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
  );

/** @param {JetStream["consumers"][number]} row */
const consumerRow = (row) =>
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
  );

/** @type {Mount} */
export function mount(element, { api }) {
  const server = h("span", { class: "count" });
  const problem = problemLine();
  const streams = h("tbody");
  const consumers = h("tbody");
  const streamHead = tableHead([
    ["Name"],
    ["Messages", "number"],
    ["Bytes", "number"],
    ["First", "number"],
    ["Last", "number"],
    ["Consumers", "number"],
    ["Storage"],
    ["Servers"],
  ]);
  const consumerHead = tableHead([
    ["Consumer"],
    ["Pending", "number"],
    ["Ack pending", "number"],
    ["Redelivered", "number"],
    ["Waiting", "number"],
    ["Delivered up to", "number"],
    ["Leader"],
  ]);
  element.append(
    h(
      "section",
      { class: "panel", "aria-labelledby": "broker-title" },
      h("h2", { id: "broker-title" }, "Broker ", server),
      problem,
      scrolling("Streams", h("table", { class: "sheet" }, h("caption", {}, "Streams and buckets"), streamHead, streams)),
      scrolling("Lanes", h("table", { class: "sheet" }, h("caption", {}, "Lanes of the work queue"), consumerHead, consumers)),
    ),
  );

  const loader = createLoader(
    () => api.get("/jetstream"),
    (broker) => {
      sayProblem(problem, null);
      say(server, `nats-server ${broker.version} · ${broker.server}`);
      streams.replaceChildren(...broker.streams.map(streamRow));
      consumers.replaceChildren(...broker.consumers.map(consumerRow));
    },
    ({ message }) => sayProblem(problem, message),
  );
  const stop = everySoOften(loader.load, INTERVAL);

  return {
    show() {},
    unmount() {
      stop();
      loader.stop();
    },
  };
}
