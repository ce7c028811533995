// Short words on how an order ended, for eyes and screen readers.

import { h, say } from "./dom.js";

const list = document.getElementById("notes");
/** How long a note stays. */
const STAY = 8000;

export function note(text, tone = "good") {
  const element = h("p", { class: "note", "data-tone": tone }, text);
  list.append(element);
  const passing = list.querySelectorAll(".note:not(.lasting)");
  if (passing.length > 4) passing[0].remove();
  setTimeout(() => element.remove(), STAY);
}

/** A note on something that takes a while, and can be stopped. */
export function progress(text) {
  const words = h("span", { "aria-live": "off" }, text);
  const stop = h("button", { class: "button", type: "button" }, "Stop");
  const element = h("p", { class: "note lasting" }, words, " ", stop);
  const going = { isStopped: false, tell: (text) => say(words, text), end: () => element.remove() };
  stop.addEventListener("click", () => (going.isStopped = true));
  list.append(element);
  return going;
}

/** Gives an order, and says how it ended. */
export async function order(giving, done) {
  try {
    const answer = await giving;
    if (done) note(done);
    return answer;
  } catch (refusal) {
    note(refusal.message, "bad");
    return null;
  }
}
