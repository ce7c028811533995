// @ts-check
// A library as a form, with the recipe form of new jobs.

/** @import { Deps, LibraryRow } from "#types" */

import { button, h, problemLine, say, sayProblem } from "../../lib/dom.js";
import { readableLocation } from "../../lib/format.js";
import { createLoader } from "../../lib/retry.js";
import { field } from "../../widgets/dialog.js";
import { recipeForm } from "../../widgets/recipe-form/form.js";
import { splitField } from "../../widgets/recipe-form/split-field.js";

/**
 * @param {Deps} deps
 * @param {LibraryRow | null} row the library to change; `null` for a new one
 * @param {(name: string | null) => void} done called with its name, or `null` where the person thinks better of it
 */
export function libraryEditor(deps, row, done) {
  const { api, notes, session } = deps;
  const library = row?.library;
  const folder = library && "folder" in library.results ? library.results.folder : "";
  const name = h("input", { name: "library", required: true, pattern: "[A-Za-z0-9_\\-]+", maxlength: 128, autocomplete: "off", value: row?.name ?? "", disabled: row !== null });
  const place = h("input", { name: "location", required: true, autocomplete: "off", placeholder: "/srv/films", value: library ? readableLocation(library.location) : "" });
  const output = h("input", { name: "output", required: true, autocomplete: "off", placeholder: "/srv/small", value: readableLocation(folder) });
  const replaced = library && "replace" in library.results ? library.results.replace : null;
  const replace = h("input", { type: "checkbox", name: "replace", checked: replaced !== null });
  const days = h("input", { type: "number", name: "days", min: 1, max: 3650, value: replaced?.days ?? 30, required: true });
  const outputField = field("Folder for the results", output);
  const daysField = field("Days that sources stay in the trash", days);
  const skip = h("input", { name: "skip", autocomplete: "off", placeholder: "video.codec in [hevc, av1]", value: library?.rules?.skip_if ?? "" });
  const saving = h("input", { type: "number", name: "saving", min: 0, max: 99, value: library?.rules?.min_saving ?? "" });
  const sidecars = h("input", { type: "checkbox", name: "sidecars", checked: !library || library.sidecars === "carry" });
  const split = splitField();
  split.fill(library ? (library.split ?? "off") : "auto");
  const schedule = h("input", { name: "schedule", autocomplete: "off", placeholder: "22:00-07:00", value: library?.schedule ?? "" });
  const exclude = h("input", { name: "exclude", autocomplete: "off", placeholder: "Extras/**, *.sample.*", value: (library?.exclude ?? []).join(", ") });
  const settle = h("input", { type: "number", name: "settle", min: 0, max: 604800, value: library?.settle ?? 60, required: true });
  const every = h("input", { type: "number", name: "every", min: 1, max: 604800, value: library?.every ?? 600, required: true });
  const verify = h("input", { type: "number", name: "verify", min: 0, value: library?.verify_per_day ?? 0, required: true });
  const priority = h("input", { type: "number", name: "priority", min: 1, max: 10, value: library?.priority ?? 5, required: true });
  const hop = h("input", { type: "number", name: "hop", min: 1, max: 10080, value: library?.fallbacks ? library.fallbacks.after / 60 : 10, required: true });
  const hopField = field("Fallback after, minutes", hop);
  const recipe = recipeForm(deps, "library", settled);
  const problem = problemLine();
  const submit = h("button", { class: "button strong", type: "submit" }, row ? "Save" : "Add library");
  const lacking = h("span", { class: "hint", role: "status" });
  const cancel = button("Cancel");
  const form = h(
    "form",
    { class: "library-editor" },
    h("fieldset", { class: "terms" }, h("legend", {}, row ? `Library ${row.name}` : "New library"), field("Library name", name), field("Folder or s3://bucket/prefix", place), outputField, h("label", { class: "field" }, h("span", { class: "label" }, "Replace the sources"), replace), daysField, h("label", { class: "field" }, h("span", { class: "label" }, "Sidecars (film.srt, film.nfo) go along"), sidecars)),
    recipe.element,
    h(
      "fieldset",
      { class: "terms" },
      h("legend", {}, "Terms"),
      field("Jobs only in these hours", schedule),
      field("Left as they are if", skip),
      field("Kept unless smaller by, %", saving),
      field("Excluded files", exclude),
      field("Settled after, seconds", settle),
      field("Scanned every, seconds", every),
      field("Files checked a day", verify),
      field("Priority", priority),
      ...split.elements,
      hopField,
    ),
    problem,
    h("p", { class: "choices" }, submit, " ", cancel, " ", lacking),
  );

  function settled() {
    output.disabled = replace.checked;
    outputField.hidden = replace.checked;
    days.disabled = !replace.checked;
    daysField.hidden = !replace.checked;
    hop.disabled = !recipe.hasFallbacks();
    hopField.hidden = hop.disabled;
    submit.disabled = session.isReader || !recipe.isOpen();
    say(lacking, session.isReader ? "Your password is for looking only." : "");
  }

  const settings = createLoader(
    () => api.get("/settings"),
    ({ presets, default: first }) => recipe.offerPresets(presets, first),
  );
  if (library) recipe.fill(library.recipe, library.outputs ?? {}, library.preset ?? "");
  settings.load();

  async function save() {
    const key = row?.name ?? name.value;
    const { name: template, renditions } = recipe.outputs();
    if (renditions.length) throw new Error("A library makes one output of each file: leave the sizes out.");
    const answer = await api.put(
      "/libraries/{library}",
      { library: key },
      {
        location: place.value,
        output: replace.checked ? null : output.value,
        // The trash stays where it is.
        replacement: replace.checked ? { trash: replaced ? readableLocation(replaced.trash).replace(/\/\.ffmpeg-easy-trash$/, "") : null, days: Number(days.value), hard_links: replaced?.hard_links } : null,
        recipe: recipe.value(),
        name: template,
        preset: recipe.preset(),
        rules: { ...library?.rules, skip_if: skip.value || null, min_saving: saving.value === "" ? null : Number(saving.value) },
        sidecars: sidecars.checked ? "carry" : "leave",
        split: split.value(),
        schedule: schedule.value || null,
        exclude: exclude.value.split(",").map((pattern) => pattern.trim()).filter(Boolean),
        settle: Number(settle.value),
        every: Number(every.value),
        verify_per_day: Number(verify.value),
        priority: Number(priority.value),
        hop_after: hop.disabled ? null : 60 * Number(hop.value),
        paused: library?.paused ?? false,
        revision: row?.revision ?? null,
      },
    );
    for (const warning of answer.warnings) notes.note(warning, "bad");
    return key;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      done(await save());
    } catch (refusal) {
      sayProblem(problem, /** @type {Error} */ (refusal).message);
      settled();
    }
  });
  replace.addEventListener("change", settled);
  cancel.addEventListener("click", () => done(null));
  settled();

  return {
    element: form,
    focus: () => (row ? place : name).focus(),
    unmount() {
      recipe.unmount();
      settings.stop();
    },
  };
}
