// Questions that need an answer before anything is done.

import { h, say } from "./dom.js";

/**
 * Asks with a form: `fields` are elements, `verb` the button, `leave` the other.
 * Resolves with the form's data, or `null` where the person thinks better of it.
 * Where `act` is given, it is called with the data first, and the dialog stays open,
 * with what was typed and the reason, as long as that refuses.
 */
export function ask(title, fields, verb, { tone = "", leave = "Cancel", act = null } = {}) {
  const heading = h("h2", { id: "question" }, title);
  const yes = h("button", { class: "button strong", type: "submit", "data-tone": tone, value: "yes" }, verb);
  const no = h("button", { class: "button", type: "submit", value: "", formnovalidate: true }, leave);
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const form = h("form", { method: "dialog" }, heading, ...fields, problem, h("p", { class: "choices" }, yes, no));
  const dialog = h("dialog", { class: "question", "aria-labelledby": "question" }, form);
  document.body.append(dialog);
  dialog.showModal();
  // What is typed replaces what was there.
  form.querySelector("input:not([type='radio'])")?.select();
  form.addEventListener("submit", async (event) => {
    if (!act || event.submitter === no) return;
    event.preventDefault();
    yes.disabled = true;
    try {
      await act(new FormData(form));
      dialog.close("yes");
    } catch (refusal) {
      problem.hidden = false;
      say(problem, refusal.message);
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

/** A field with its label. */
export function field(label, control, hint = "") {
  const words = h("span", { class: "label" }, label);
  const more = hint ? [h("span", { class: "hint" }, hint)] : [];
  return h("label", { class: "field" }, words, control, ...more);
}
