// What would become of the chosen files: workers look into the first of them, one after the other.

import { post } from "../api.js";
import { changeList } from "../changes.js";
import { h } from "../dom.js";
import { plural, printable } from "../format.js";

/** Files that are looked into. */
const MOST = 10;

/** Draws into `element`; gives a function that shows files with a recipe there. */
export function foresight(element) {
  /** Answers by file and recipe. */
  const known = new Map();
  let turn = 0;

  async function ask(file, recipe) {
    const key = JSON.stringify([file, recipe]);
    if (!known.has(key)) {
      // What could not be looked into is asked for again the next time.
      const answer = await post("foresee", { file, recipe }).catch((refusal) => ({ why: refusal.message }));
      if (answer.why) return answer;
      known.set(key, answer);
    }
    return known.get(key);
  }

  function words({ why, refused, changes }) {
    if (why) return [h("p", { class: "soft" }, `Not known: ${printable(why)}`)];
    if (refused) return [h("p", { class: "reason" }, printable(refused))];
    return changeList(changes);
  }

  return async (files, recipe) => {
    const mine = (turn += 1);
    if (files.length === 0 || !recipe) {
      element.replaceChildren(h("p", { class: "soft" }, "Choose files to see what they would lose."));
      return;
    }
    const rows = files.slice(0, MOST).map((file) => h("li", {}, h("bdi", {}, printable(file)), h("div", {}, h("p", { class: "soft" }, "looking…"))));
    const more = files.length - rows.length;
    element.replaceChildren(
      h("ul", { class: "foretold" }, ...rows),
      ...(more > 0 ? [h("p", { class: "soft" }, `${plural(more, "further file")} not looked into.`)] : []),
    );
    for (const [at, row] of rows.entries()) {
      const answer = await ask(files[at], recipe);
      if (mine !== turn) return;
      row.lastElementChild.replaceChildren(...words(answer));
    }
  };
}
