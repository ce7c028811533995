// @ts-check
// The page's elements, before there is anything to show.

import { button, h, problemLine } from "../../lib/dom.js";
import { field } from "../../widgets/dialog.js";
import { splitField } from "../../widgets/recipe-form/split-field.js";

/** @param {Element} recipe the recipe's form */
export function skeleton(recipe) {
  const problem = problemLine();
  const trail = h("p", { class: "trail" });
  const entries = h("ul", { class: "entries" });
  const chosen = h("p", { class: "chosen", role: "status" });
  const save = button("Save as preset…", { class: "button save" });
  const worker = h("select", { name: "worker" }, h("option", { value: "" }, "any that can"));
  const priority = h("input", { type: "number", name: "priority", min: 1, max: 10, value: 5, required: true });
  const fallback = h("input", { type: "number", name: "hop", min: 1, max: 10080, value: 10, required: true, disabled: true });
  const fallbackField = field("Fallback after, minutes", fallback);
  const results = h("select", { name: "results" }, h("option", { value: "folder" }, "In an output folder"), h("option", { value: "replace" }, "In the place of the originals"));
  const output = h("input", { name: "output", value: "encoded", required: true, autocomplete: "off" });
  const outputField = field("Output folder", output);
  const days = h("input", { type: "number", name: "days", min: 1, max: 3650, value: 30, required: true, disabled: true });
  const daysField = field("Days that originals stay in the trash", days);
  const hardLinks = h("select", { name: "hard-links", disabled: true }, h("option", { value: "refuse" }, "Fail before the encode"), h("option", { value: "replace" }, "Replace this name, others keep the old file"));
  const hardLinksField = field("Originals with further names (hard links)", hardLinks);
  const trash = h("input", { name: "trash", autocomplete: "off", placeholder: "the root of the store", disabled: true });
  const trashField = field("Folder or s3://bucket/prefix of the trash", trash);
  const sidecars = h("select", { name: "sidecars" }, h("option", { value: "" }, "As usual"), h("option", { value: "carry" }, "Go along with the result"), h("option", { value: "leave" }, "Stay as they are"));
  const replacing = h("p", { class: "hint replacing", role: "status" });
  const skipIf = h("input", { name: "skip-if", autocomplete: "off", placeholder: "video.codec in [hevc, av1]" });
  const minSaving = h("input", { type: "number", name: "min-saving", min: 0, max: 99, placeholder: "any size" });
  const original = h("select", { name: "original" }, h("option", { value: "leave" }, "Stay where they are"), h("option", { value: "copy" }, "Also copied to the output folder"));
  const split = splitField();
  const verdict = h("div", { class: "verdict", role: "status" });
  const forecast = h("div", { role: "status" });
  const submit = h("button", { class: "button strong", type: "submit", disabled: true }, "Enqueue");
  const check = button("Check for damage", { disabled: true, title: "Decode the chosen files, and write nothing" });
  const sample = button("Sample", { disabled: true, title: "Encode a few short parts of the chosen file, to see what the whole would take" });
  const lacking = h("span", { class: "lacking hint", id: "lacking", role: "status" });
  const form = h(
    "form",
    { class: "new-jobs", hidden: true },
    h("fieldset", { class: "browser" }, h("legend", {}, "Files"), trail, entries, chosen),
    recipe,
    h("p", {}, save),
    h(
      "fieldset",
      { class: "terms" },
      h("legend", {}, "Scheduling"),
      field("Worker", worker),
      field("Priority", priority),
      fallbackField,
      ...split.elements,
    ),
    h("fieldset", { class: "terms" }, h("legend", {}, "Results"), field("Results go", results), outputField, daysField, trashField, hardLinksField, field("Sidecars (film.srt, film.nfo)", sidecars), replacing),
    h(
      "fieldset",
      { class: "terms" },
      h("legend", {}, "Rules"),
      field("Keep the source if", skipIf),
      field("Keep it if less is saved, %", minSaving),
      field("Sources that are kept", original),
    ),
    h("fieldset", { class: "plan" }, h("legend", {}, "Workers that can run it"), verdict),
    h("fieldset", {}, h("legend", {}, "Kept, converted, lost"), forecast),
    h("p", { class: "choices" }, submit, " ", sample, " ", check, " ", lacking),
  );
  const element = h("section", { class: "panel", "aria-labelledby": "new-title" }, h("h2", { id: "new-title" }, "New job"), problem, form);
  return {
    element,
    problem,
    form,
    trail,
    entries,
    chosen,
    save,
    worker,
    priority,
    fallback,
    fallbackField,
    results,
    output,
    outputField,
    days,
    daysField,
    trash,
    trashField,
    hardLinks,
    hardLinksField,
    sidecars,
    replacing,
    split,
    skipIf,
    minSaving,
    original,
    verdict,
    forecast,
    submit,
    check,
    sample,
    lacking,
  };
}
