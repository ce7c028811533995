// @ts-check
// Questions that need an answer before anything is done.

import { button, h, problemLine, sayProblem } from "../lib/dom.js";

/**
 * @typedef {object} Choices
 * @property {string} [tone] of the button that does it
 * @property {string} [leave] the other button
 * @property {(data: FormData) => Promise<void>} [act] called with the data; as long as it refuses, the dialog stays
 *   open with what was typed and the reason
 */

/**
 * Asks with a form: `verb` is the button that does it. Resolves with the form's data, or `null` where the person
 * thinks better of it.
 * @param {string} title
 * @param {Node[]} fields
 * @param {string} verb
 * @param {Choices} choices
 * @returns {Promise<FormData | null>}
 */
export function question(title, fields, verb, { tone = "", leave = "Cancel", act } = {}) {
  const yes = h("button", { class: "button strong", type: "submit", "data-tone": tone, value: "yes" }, verb);
  const no = button(leave, { type: "submit", value: "", formnovalidate: true });
  const problem = problemLine();
  const form = h("form", { method: "dialog" }, h("h2", {}, title), ...fields, problem, h("p", { class: "choices" }, yes, no));
  const dialog = h("dialog", { class: "question", "aria-label": title }, form);
  document.body.append(dialog);
  dialog.showModal();
  // What is typed replaces what was there.
  /** @type {HTMLInputElement | null} */ (form.querySelector("input:not([type='radio'])"))?.select();
  form.addEventListener("submit", async (event) => {
    if (!act || event.submitter === no) return;
    event.preventDefault();
    yes.disabled = true;
    try {
      await act(new FormData(form));
      dialog.close("yes");
    } catch (refusal) {
      sayProblem(problem, /** @type {Error} */ (refusal).message);
    }
    yes.disabled = false;
  });
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? new FormData(form) : null);
      dialog.remove();
    });
  });
}

/**
 * A field with its label.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} hint
 */
export function field(label, control, hint = "") {
  const more = hint ? [h("span", { class: "hint" }, hint)] : [];
  return h("label", { class: "field" }, h("span", { class: "label" }, label), control, ...more);
}
