// Questions that need an answer before anything is done.

import { h } from "./dom.js";

/**
 * Asks with a form: `fields` are elements, `verb` the button. Resolves with the
 * form's data, or `null` where the person thinks better of it.
 */
export function ask(title, fields, verb, tone = "") {
  const heading = h("h2", { id: "question" }, title);
  const yes = h("button", { class: "button strong", type: "submit", "data-tone": tone, value: "yes" }, verb);
  const no = h("button", { class: "button", type: "submit", value: "", formnovalidate: true }, "Never mind");
  const form = h("form", { method: "dialog" }, heading, ...fields, h("p", { class: "choices" }, yes, no));
  const dialog = h("dialog", { class: "question", "aria-labelledby": "question" }, form);
  document.body.append(dialog);
  dialog.showModal();
  // What is typed replaces what was there.
  form.querySelector("input:not([type='radio'])")?.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? new FormData(form) : null);
      dialog.remove();
    });
  });
}

/** A field with its label. */
export function field(label, control, hint = "") {
  const words = h("span", { class: "label" }, label);
  const more = hint ? [h("span", { class: "hint" }, hint)] : [];
  return h("label", { class: "field" }, words, control, ...more);
}
