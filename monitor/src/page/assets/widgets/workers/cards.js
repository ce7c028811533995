// @ts-check
// All workers, a card each.

/** @import { CardRow, Deps, State } from "#types" */

import { h, keyedList, say } from "../../lib/dom.js";
import { count } from "../../lib/format.js";
import { holdOrders } from "../../orders/holds.js";
import { workerCard } from "./card.js";

/** @param {Deps} deps */
export function workerCards(deps) {
  const counter = h("span", { class: "count" });
  const list = h("ul", { class: "cards" });
  const empty = h(
    "p",
    { class: "empty", hidden: true },
    "No worker is alive. Start one with ",
    h("code", {}, "worker"),
    " on any machine that reaches the broker.",
  );
  const element = h(
    "section",
    { class: "panel", id: "workers", "aria-labelledby": "workers-title", tabindex: -1 },
    h("h2", { id: "workers-title" }, "Workers ", counter),
    list,
    empty,
  );
  const orders = holdOrders(deps);
  const update = keyedList(list, (row) => row.name, ({ name }) => workerCard(name, orders));

  return {
    element,
    /**
     * @param {State} state
     * @param {number} now
     * @param {(card: CardRow | undefined) => boolean} [isWanted] which cards are shown, by what their workers have proved
     */
    update(state, now, isWanted = () => true) {
      const { workers, cards } = state;
      empty.hidden = workers.length > 0;
      say(counter, workers.length ? count(workers.length) : "");
      update(workers.filter((row) => isWanted(cards[row.name])), state, deps.lastDay.current, now);
    },
  };
}
