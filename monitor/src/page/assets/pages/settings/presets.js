// @ts-check
// Recipes by name, and which of them is the default.

/** @import { Deps, PresetRow, Row } from "#types" */

import { button, h, keyedList, offer, say } from "../../lib/dom.js";
import { printable } from "../../lib/format.js";
import { question } from "../../widgets/dialog.js";
import { editPreset } from "../../widgets/recipe-form/preset-editor.js";

/**
 * @typedef {object} PresetActions
 * @property {(preset: PresetRow) => void} edit
 * @property {(preset: PresetRow) => void} remove
 */

/**
 * @param {PresetRow} first
 * @param {PresetActions} actions
 * @returns {Row<PresetRow, [string | null | undefined]>}
 */
function presetRow(first, actions) {
  const { name } = first;
  let shown = first;
  const mark = h("span", { class: "status" }, "default");
  const source = h("span", { class: "soft" });
  const words = h("p", { class: "words" });
  const use = h("p", { class: "soft" });
  const edit = button("Edit…", { class: "button small", "aria-label": `Edit the preset ${name}` });
  const remove = button("Remove", { class: "button small", "data-tone": "bad", "aria-label": `Remove the preset ${name}` });
  edit.addEventListener("click", () => actions.edit(shown));
  remove.addEventListener("click", () => actions.remove(shown));
  const head = h("div", { class: "line" }, h("strong", { class: "mono" }, name), mark, source, h("span", { class: "end act" }, edit, " ", remove));
  return {
    element: h("li", { "data-name": name }, head, words, use),
    update(preset, standard) {
      shown = preset;
      const isSaved = typeof preset.revision === "number";
      mark.hidden = name !== standard;
      say(source, isSaved ? (preset.built_in ? "replaces the built-in one" : "") : "built in");
      say(words, printable(preset.words));
      say(use, printable(preset.note ?? ""));
      use.hidden = !preset.note;
      remove.hidden = !isSaved;
    },
  };
}

/**
 * @param {Deps} deps
 * @param {() => Promise<void> | void} reload shows how the settings are now
 */
export function presetSettings(deps, reload) {
  const { api, notes } = deps;
  /** @type {PresetRow[]} */
  let presets = [];
  const list = h("ul", { class: "rows presets" });
  const create = button("New preset…", { class: "button create", disabled: true });
  const select = h("select", { name: "preset" });
  const form = h(
    "form",
    { class: "filters default act" },
    h("label", {}, "Default recipe ", select),
    h("button", { class: "button", type: "submit" }, "Set"),
    h("span", { class: "hint" }, "What ", h("code", {}, "producer enqueue"), " and ", h("code", {}, "watch"), " use unless told otherwise."),
  );
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "presets-title" },
    h("h2", { id: "presets-title" }, "Presets"),
    h("p", { class: "hint" }, "Recipes by name: for new jobs here, and for ", h("code", {}, "producer enqueue --preset NAME"), "."),
    list,
    h("p", { class: "filters act" }, create),
    form,
  );

  /** @param {Partial<PresetRow>} preset */
  async function edit(preset) {
    if (await editPreset(deps, preset, presets)) await reload();
  }

  /** @param {PresetRow} preset */
  async function remove({ name, built_in: isBuiltIn, revision }) {
    const after = isBuiltIn ? "The built-in one takes its place." : "Jobs keep the recipe they were made with.";
    const sure = await question(`Remove the preset ${name}?`, [h("p", {}, after)], "Remove preset", { tone: "bad" });
    if (!sure) return;
    const request = api.remove("/presets/{preset}", { preset: name, revision: revision ?? undefined });
    await notes.outcome(request, `Removed the preset ${name}`);
    await reload();
    // The button that was pressed is gone.
    if (document.activeElement === document.body) create.focus();
  }

  create.addEventListener("click", () => edit({}));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const preset = select.value;
    const request = preset ? api.put("/settings/default", {}, { preset }) : api.remove("/settings/default");
    await notes.outcome(request, preset ? `${preset} is the default recipe` : "There is no default recipe");
    await reload();
  });

  const update = keyedList(list, (preset) => preset.name, (/** @type {PresetRow} */ preset) => presetRow(preset, { edit, remove }));
  /** @type {string | null} the default as it was last shown */
  let saved = null;

  return {
    element,
    /**
     * @param {PresetRow[]} found
     * @param {string | null | undefined} standard
     */
    update(found, standard) {
      presets = found;
      create.disabled = false;
      update(presets, standard);
      const names = presets.map((preset) => preset.name);
      // One that is gone is still named, so that it can be seen and changed.
      if (standard && !names.includes(standard)) names.push(standard);
      offer(select, [["", "none: every job names its recipe"], ...names.map((name) => /** @type {[string, string]} */ ([name, name]))]);
      // What a person is choosing is left alone, until the default itself is another.
      if (saved !== (standard ?? "")) select.value = standard ?? "";
      saved = standard ?? "";
    },
  };
}
