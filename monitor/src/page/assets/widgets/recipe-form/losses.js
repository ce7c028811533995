// @ts-check
// What a recipe refuses to lose: a box for each kind.

import { h } from "../../lib/dom.js";

export function losses() {
  const boxes = h("div", { class: "boxes" });
  const element = h(
    "details",
    { class: "wide" },
    h("summary", {}, "Refuse an input that would lose…"),
    h("p", { class: "hint" }, "Every result lists what was lost or converted. A job whose input would lose one of these fails before it is encoded."),
    boxes,
  );
  /** @type {Map<string, HTMLInputElement>} */
  const all = new Map();

  /** @param {string[]} kinds */
  function offer(kinds) {
    for (const kind of kinds) {
      if (all.has(kind)) continue;
      const box = h("input", { type: "checkbox", name: "refuse_loss", value: kind });
      all.set(kind, box);
      boxes.append(h("label", { class: "check" }, box, kind.replaceAll("_", " ")));
    }
  }

  return {
    element,
    offer,
    /**
     * Ticks these kinds, and no others.
     * @param {string[]} kinds
     */
    fill(kinds) {
      offer(kinds);
      for (const [kind, box] of all) box.checked = kinds.includes(kind);
      if (kinds.length) element.open = true;
    },
    value: () => [...all].filter(([, box]) => box.checked).map(([kind]) => kind),
  };
}
