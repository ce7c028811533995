// What a recipe refuses to lose: a box for each kind.

import { h } from "./dom.js";

const words = (kind) => kind.replaceAll("_", " ");

/** `{ element, offer(kinds), fill(kinds), value() }`. */
export function losses() {
  const boxes = h("div", { class: "boxes" });
  const element = h(
    "details",
    { class: "wide" },
    h("summary", {}, "Refuse an input that would lose…"),
    h("p", { class: "hint" }, "What is lost or converted is told with every result. A job whose input would lose one of these fails before it is encoded."),
    boxes,
  );
  const all = () => [...boxes.querySelectorAll("input")];

  function add(kind) {
    const box = h("input", { type: "checkbox", name: "refuse_loss", value: kind });
    boxes.append(h("label", { class: "check" }, box, words(kind)));
  }

  return {
    element,
    offer(kinds) {
      for (const kind of kinds) if (!all().some((box) => box.value === kind)) add(kind);
    },
    /** Ticks these kinds, and no others. */
    fill(kinds) {
      this.offer(kinds);
      for (const box of all()) box.checked = kinds.includes(box.value);
      if (kinds.length) element.open = true;
    },
    value: () => all().filter((box) => box.checked).map((box) => box.value),
  };
}
