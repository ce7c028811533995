// @ts-check
// A recipe as a form: the same for new jobs and for presets.

/** @import { Deps, Outputs, PresetRow, Recipe, Vocabulary } from "#types" */
/** @import { EncoderChoices } from "./encoders.js" */

import { h, offer, say, sayProblem, set } from "../../lib/dom.js";
import { createLoader } from "../../lib/retry.js";
import { encoderChoices } from "./encoders.js";
import { choose, option, optionGroup } from "./controls.js";
import { encodes, labelled, recipeFields, settleFields } from "./fields.js";
import { losses } from "./losses.js";
import { outputFields } from "./outputs.js";
import { foldedGroup, recipeParts, settleParts } from "./parts.js";
import { fillRecipe, readRecipe } from "./value.js";

/** Fields by the part of a recipe that they hold, where that has another name. */
const HOLDS = new Map([["amount", "rate"], ["bitrate", "audio"]]);

/**
 * @param {Deps} deps
 * @param {string} id of the form's own, for what describes its fields
 * @param {() => void} changed called whenever the recipe may be another
 */
export function recipeForm({ api, state }, id, changed) {
  const fields = recipeFields();
  const parts = recipeParts();
  const outputs = outputFields();
  const kept = losses();
  const problem = h("p", { class: "problem wide", role: "alert", id: `${id}-problem`, hidden: true });
  const allowed = h("p", { class: "mono soft" });
  const element = h(
    "fieldset",
    { class: "recipe-form" },
    h("legend", {}, "Recipe"),
    ...labelled(fields),
    problem,
    foldedGroup("Outputs of each file", outputs.rows),
    ...parts.groups.map(([name, list]) => foldedGroup(name, list)),
    kept.element,
    h("details", { class: "wide" }, h("summary", {}, "Allowed filters and arguments"), allowed),
  );

  /** @type {PresetRow[]} */
  let presets = [];
  /** @type {Vocabulary | null} */
  let vocabulary = null;
  /** @type {EncoderChoices["makes"]} */
  let makes = new Map();
  let offered = "";
  let isTouched = false;
  /** @type {Recipe | null} The recipe that filled the form: what no field shows stays. */
  let filled = null;
  /** The name of the preset that filled the form, for the names of outputs. */
  let preset = "";

  function settle() {
    settleFields(fields);
    settleParts(parts, encodes(fields));
  }

  /**
   * Offers the encoders that could stand in: those of the same codec, and the chosen ones.
   * @param {string} chosen
   */
  function offerOthers(chosen) {
    const name = fields.with.value;
    const codec = makes.get(name);
    const others = [...makes].filter(([other, made]) => codec && made === codec && other !== name).map(([other]) => other);
    fields.else.replaceChildren(option("", "none"), ...others.sort().map((other) => option(other)));
    if (chosen) choose(fields.else, chosen);
  }

  /** @param {Vocabulary} words */
  function offerWords(words) {
    const [audio, container] = [fields.audio.value, fields.container.value];
    fields.audio.replaceChildren(
      option("copy", "keep"),
      option("none"),
      ...optionGroup("Keep what the container holds, else", words.audio.map((name) => [`else:${name}`, `keep, else ${name}`])),
      ...optionGroup("Encode every track", words.audio.map((name) => [name, name])),
    );
    choose(fields.audio, audio);
    fields.container.replaceChildren(...words.containers.map((name) => option(name)));
    choose(fields.container, container || "mkv");
    kept.offer(words.losses);
    say(allowed, `Filters: ${words.filters.join(" ")}. Arguments: ${words.arguments.join(" ")}.`);
  }

  function offerEncoders() {
    if (!vocabulary) return;
    const choices = encoderChoices(vocabulary, state.current);
    const names = JSON.stringify(choices.groups.map((group) => [group.label, group.textContent]));
    if (names === offered) return;
    offered = names;
    makes = choices.makes;
    const present = isTouched ? fields.with.value : "";
    fields.with.replaceChildren(...choices.groups);
    if (present) choose(fields.with, present);
    offerOthers(fields.else.value);
    settle();
    changed();
  }

  const loader = createLoader(
    () => api.get("/vocabulary"),
    (words) => {
      vocabulary = words;
      offerWords(words);
      offerEncoders();
    },
  );
  const unwatch = state.watch(offerEncoders);

  /**
   * @param {Recipe} recipe
   * @param {Partial<Outputs>} made what each file becomes by it
   * @param {string} name of the preset, if it is of one
   */
  function fill(recipe, made = {}, name = "") {
    isTouched = true;
    filled = recipe;
    preset = name;
    outputs.fill(made);
    fillRecipe(fields, parts, recipe, offerOthers);
    kept.fill(recipe.refuse_loss ?? []);
  }

  element.addEventListener("change", (event) => {
    if (event.target === fields.start) {
      const chosen = presets.find(({ name }) => name === fields.start.value);
      if (chosen) fill(chosen.recipe, chosen.outputs, chosen.name);
    } else {
      isTouched = true;
      fields.start.value = "";
    }
    if (event.target === fields.with) offerOthers("");
    settle();
    changed();
  });
  settle();
  loader.load();

  return {
    element,
    fill,
    /**
     * Offers presets; a form that nobody has touched starts from `first`.
     * @param {PresetRow[]} found
     * @param {string | null | undefined} first
     */
    offerPresets(found, first = null) {
      presets = found;
      offer(fields.start, [["", "…"], ...found.map(({ name }) => /** @type {[string, string]} */ ([name, name]))]);
      const chosen = isTouched ? null : found.find(({ name }) => name === first);
      if (!chosen) return;
      fields.start.value = chosen.name;
      fill(chosen.recipe, chosen.outputs, chosen.name);
      changed();
    },
    /**
     * Chooses this encoder, all else left as it is.
     * @param {string} encoder
     */
    use(encoder) {
      isTouched = true;
      choose(fields.with, encoder);
      offerOthers("");
      settle();
      changed();
    },
    /** The recipe that the form says. */
    value: () => readRecipe(fields, parts, filled, kept.value()),
    /** What each file becomes. */
    outputs: outputs.value,
    /** The name of the preset that it began with. */
    preset: () => preset || null,
    /** Whether there is anything to choose from yet. */
    isOpen: () => fields.with.value !== "",
    isTouched: () => isTouched,
    /** Whether it names several encoders, one after the other. */
    hasFallbacks: () => !fields.else.disabled && fields.else.value !== "",
    /**
     * Says what is wrong with the recipe, beside the field that is at fault; `null` takes it back.
     * @param {string | null} message
     */
    refuse(message) {
      const [, path = "", reason = null] = message?.match(/^(?:recipe|outputs)\.?([\w.[\]]*): (.*)$/s) ?? [null, "", message];
      const part = path.replace(/^video\.encode\./, "").split(/[.[]/)[0];
      /** @type {[string, HTMLInputElement | HTMLSelectElement][]} */
      const controls = parts.all.map(({ path, control }) => [path.filter((name) => name !== "video" && name !== "encode").slice(0, 1).join(), control]);
      controls.push(["renditions", outputs.renditions], ["name", outputs.template]);
      for (const [name, control] of [...Object.entries(fields), ...controls]) {
        const isAtFault = part !== "" && !control.disabled && (HOLDS.get(name) ?? name) === part;
        set(control, "aria-invalid", isAtFault ? "true" : null);
        set(control, "aria-describedby", isAtFault ? problem.id : null);
        const group = isAtFault ? control.closest("details") : null;
        if (group) group.open = true;
      }
      sayProblem(problem, reason);
    },
    unmount() {
      unwatch();
      loader.stop();
    },
  };
}

/** @typedef {ReturnType<typeof recipeForm>} RecipeForm */
