// Short words on how an order ended, for eyes and screen readers.

import { h } from "./dom.js";

const list = document.getElementById("notes");
/** How long a note stays. */
const STAY = 8000;

export function note(text, tone = "good") {
  const element = h("p", { class: "note", "data-tone": tone }, text);
  list.append(element);
  while (list.children.length > 4) list.firstChild.remove();
  setTimeout(() => element.remove(), STAY);
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
