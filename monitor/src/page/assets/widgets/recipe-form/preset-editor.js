// @ts-check
// A preset, made or changed in a dialog.

/** @import { Deps, PresetRow } from "#types" */

import { button, h, problemLine, sayProblem } from "../../lib/dom.js";
import { field } from "../dialog.js";
import { recipeForm } from "./form.js";

/**
 * Asks for a preset and saves it. What is given stands in the form: with a `revision`, the saved one is changed; with a
 * name and none, one that is built in is replaced. Resolves with its name, or `null` where the person thinks better of
 * it.
 * @param {Deps} deps
 * @param {Partial<PresetRow>} given
 * @param {PresetRow[]} presets
 * @returns {Promise<string | null>}
 */
export function editPreset(deps, { name = "", note = "", recipe, outputs, revision = null }, presets) {
  const { api, notes } = deps;
  const called = h("input", {
    name: "name",
    value: name,
    readonly: name !== "",
    required: true,
    maxlength: 128,
    pattern: "[A-Za-z0-9_\\-]+",
    title: "letters, digits, - and _",
    autocomplete: "off",
    spellcheck: "false",
  });
  const use = h("input", { name: "note", value: note ?? "", maxlength: 200, autocomplete: "off" });
  const editor = recipeForm(deps, "preset", () => editor.refuse(null));
  const problem = problemLine();
  const save = h("button", { class: "button strong", type: "submit" }, "Save");
  const leave = button("Cancel");
  const title = name ? `Preset ${name}` : "New preset";
  const form = h(
    "form",
    {},
    h("h2", {}, title),
    field("Name", called, "Letters, digits, - and _"),
    field("What it is for", use),
    editor.element,
    problem,
    h("p", { class: "choices" }, save, leave),
  );
  const dialog = h("dialog", { class: "preset", "aria-label": title }, form);
  editor.offerPresets(presets);
  if (recipe) editor.fill(recipe, outputs);
  document.body.append(dialog);
  dialog.showModal();
  (name ? use : called).focus();
  leave.addEventListener("click", () => dialog.close());

  return new Promise((resolve) => {
    /** @type {string | null} */
    let saved = null;
    dialog.addEventListener("close", () => {
      editor.unmount();
      dialog.remove();
      resolve(saved);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      save.disabled = true;
      editor.refuse(null);
      sayProblem(problem, null);
      try {
        const body = { recipe: editor.value(), note: use.value.trim() || null, outputs: editor.outputs(), revision };
        await api.put("/presets/{preset}", { preset: called.value }, body);
        saved = called.value;
        notes.note(`Saved the preset ${saved}`);
        dialog.close();
      } catch (error) {
        const { status, message } = /** @type {import("../../lib/api.js").Refusal} */ (error);
        // What is wrong with the recipe is said beside it.
        if (status === 422) editor.refuse(message);
        else sayProblem(problem, message);
      }
      save.disabled = false;
    });
  });
}
