// A preset, made or changed in a dialog.

import { put } from "./api.js";
import { field } from "./dialog.js";
import { h, say } from "./dom.js";
import { note } from "./notes.js";
import { recipeForm } from "./recipe.js";

/**
 * Asks for a preset and saves it. What is given stands in the form: with a
 * `revision`, that one is changed; with a name and none, one that is built in is
 * replaced. Resolves with its name, or `null` where the person thinks better of it.
 */
export function editPreset({ name = "", note: words = "", recipe = null, revision = null }, presets) {
  const title = h("h2", { id: "preset-title" }, name ? `Preset ${name}` : "New preset");
  const called = h("input", { name: "name", value: name, readonly: name !== "", required: true, maxlength: 128, pattern: "[A-Za-z0-9_\\-]+", title: "letters, digits, - and _", autocomplete: "off", spellcheck: "false" });
  const use = h("input", { name: "note", value: words ?? "", maxlength: 200, autocomplete: "off" });
  const place = h("fieldset", { class: "recipe-form" }, h("legend", {}, "Recipe"));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const save = h("button", { class: "button strong", type: "submit" }, "Save");
  const leave = h("button", { class: "button", type: "button" }, "Cancel");
  const form = h(
    "form",
    {},
    title,
    field("Name", called, "Letters, digits, - and _"),
    field("What it is for", use),
    place,
    problem,
    h("p", { class: "choices" }, save, leave),
  );
  const dialog = h("dialog", { class: "preset", "aria-labelledby": "preset-title" }, form);
  const editor = recipeForm(place, () => editor?.refuse(null));
  editor.presets(presets);
  if (recipe) editor.fill(recipe);
  document.body.append(dialog);
  const stop = editor.open();
  dialog.showModal();
  (name ? use : called).focus();
  leave.addEventListener("click", () => dialog.close());
  return new Promise((resolve) => {
    let saved = null;
    dialog.addEventListener("close", () => {
      stop();
      dialog.remove();
      resolve(saved);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      save.disabled = true;
      editor.refuse(null);
      problem.hidden = true;
      try {
        await put(`presets/${encodeURIComponent(called.value)}`, { recipe: editor.value(), note: use.value.trim() || null, revision });
        saved = called.value;
        note(`Saved the preset ${saved}`);
        dialog.close();
      } catch (refusal) {
        // What is said of the recipe stands beside it.
        const isElsewhere = refusal.status !== 422;
        if (!isElsewhere) editor.refuse(refusal.message);
        problem.hidden = !isElsewhere;
        say(problem, isElsewhere ? refusal.message : "");
      }
      save.disabled = false;
    });
  });
}
