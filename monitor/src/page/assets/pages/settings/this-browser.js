// @ts-check
// Notifications of this browser: turned on by a click, never asked for otherwise.

/** @import { Deps } from "#types" */

import { button, h, say } from "../../lib/dom.js";

/** @param {Deps} deps */
export function thisBrowser({ notifications }) {
  const words = h("p", { class: "hint", "aria-live": "polite" });
  const turn = button("", { class: "button notify" });
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "browser-title" },
    h("h2", { id: "browser-title" }, "This browser"),
    words,
    h("p", { class: "filters" }, turn),
  );

  function draw() {
    const isOn = notifications.isOn();
    turn.disabled = !notifications.isPossible() || notifications.isDenied();
    say(turn, isOn ? "Turn notifications off" : "Turn notifications on");
    const why = !notifications.isPossible()
      ? "Browsers show notifications of pages by HTTPS and of this machine only."
      : notifications.isDenied()
        ? "This browser was told to show no notifications of this page: allow them in its settings."
        : isOn
          ? "While this page is open, a notification tells of a failed job, of a lost worker, and when nothing is left to do."
          : "Notifications are off.";
    say(words, why);
  }

  turn.addEventListener("click", async () => {
    if (notifications.isOn()) notifications.turnOff();
    else await notifications.turnOn();
    draw();
  });
  draw();
  return { element };
}
