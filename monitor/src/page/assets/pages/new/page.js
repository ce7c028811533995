// @ts-check
// A new job: files of the store, a recipe, the workers that could run it, and off it goes.

/** @import { Mount, Outputs, Plan, PresetRow, Recipe, SplitChoice } from "#types" */

import { h, offer, say, sayProblem, set } from "../../lib/dom.js";
import { bytes, plural, printable } from "../../lib/format.js";
import { createLoader } from "../../lib/retry.js";
import { address } from "../../lib/router.js";
import { editPreset } from "../../widgets/recipe-form/preset-editor.js";
import { recipeForm } from "../../widgets/recipe-form/form.js";
import { fileBrowser } from "./files.js";
import { createForecast } from "./forecast.js";
import { planWords } from "./plan.js";
import { skeleton } from "./skeleton.js";

/** Wait before a recipe that is being typed is planned. In milliseconds. */
const TYPING = 250;

/**
 * What a person has chosen so far, kept while another page is shown.
 * @typedef {object} Draft
 * @property {string} folder
 * @property {Map<string, number>} files chosen ones by their path below the root, with their sizes
 * @property {Recipe | null} recipe
 * @property {Partial<Outputs>} outputs
 * @property {string | null} preset the name of the one that the recipe began with
 * @property {string} worker
 * @property {string} priority
 * @property {string} fallback
 * @property {string} results `folder`, or `replace` for the places of the originals
 * @property {string} output
 * @property {string} days for which the trash keeps originals
 * @property {string} trash the folder whose trash takes originals; empty for the usual one
 * @property {string} hardLinks
 * @property {string} sidecars `carry`, `leave`, or empty for what is usual
 * @property {SplitChoice} split
 * @property {string} skipIf
 * @property {string} minSaving
 * @property {string} original
 */

/** @type {Mount} */
export function mount(element, deps) {
  const { api, memory, notes, session, state } = deps;
  /** @type {Draft} */
  const draft = memory.get("new") ?? { folder: "", files: new Map(), recipe: null, outputs: {}, preset: null, worker: "", priority: "5", fallback: "10", results: "folder", output: "encoded", days: "30", trash: "", hardLinks: "refuse", sidecars: "", split: "auto", skipIf: "", minSaving: "", original: "leave" };
  const { files } = draft;
  const recipe = recipeForm(deps, "new", () => update());
  const parts = skeleton(recipe.element);
  element.append(parts.element);
  const forecast = createForecast(deps, parts.forecast);
  const browser = fileBrowser(parts.trail, parts.entries, files, browse, () => update());
  /** @type {PresetRow[]} */
  let presets = [];
  let isFit = false;
  let turn = 0;

  const folder = createLoader(
    async () => ({ name: draft.folder, found: await api.get("/store", { folder: draft.folder }) }),
    ({ name, found }) => {
      if (name !== draft.folder) return;
      const hasStore = Boolean(found.root);
      parts.form.hidden = !hasStore;
      sayProblem(parts.problem, hasStore ? null : "The monitor has no store to choose files from. Start it with --store URL.");
      browser.update(name, found);
    },
    ({ message }) => {
      parts.form.hidden = true;
      sayProblem(parts.problem, message);
    },
  );

  /** @param {string} name */
  function browse(name) {
    draft.folder = name;
    folder.load();
  }

  const settings = createLoader(
    () => api.get("/settings"),
    ({ presets: found, default: first }) => {
      presets = found;
      recipe.offerPresets(presets, first);
    },
  );

  /** Says why nothing can be enqueued yet, where that is so. */
  function sayLacking() {
    const why = session.isReader
      ? "Your password is for looking only."
      : files.size === 0
        ? "Choose at least one file."
        : isFit
          ? ""
          : "The recipe cannot work as it is: see above.";
    parts.submit.disabled = why !== "";
    parts.check.disabled = session.isReader || files.size === 0;
    const hasRenditions = (recipe.outputs().renditions ?? []).length > 0;
    parts.sample.disabled = session.isReader || files.size !== 1 || hasRenditions || !isFit;
    set(parts.submit, "aria-describedby", why ? parts.lacking.id : null);
    say(parts.lacking, why);
  }

  const replaces = () => parts.results.value === "replace";

  /** Says what becomes of the originals. */
  function sayResults() {
    parts.output.disabled = replaces();
    parts.outputField.hidden = replaces();
    for (const part of [parts.days, parts.trash, parts.hardLinks]) part.disabled = !replaces();
    for (const part of [parts.daysField, parts.trashField, parts.hardLinksField]) part.hidden = !replaces();
    // An original that is kept stays in its place, so there is nothing to choose.
    parts.original.disabled = replaces();
    const days = plural(Number(parts.days.value), "day");
    say(parts.replacing, replaces() ? `Each result takes the place of its original once it is verified. The original goes to a trash for ${days}, and Undo, in the list of jobs and on the job's page, brings it back.` : "");
  }

  /** Says what would happen: who could run it, and how long that takes. */
  async function update() {
    const size = [...files.values()].reduce((sum, size) => sum + size, 0);
    say(parts.chosen, files.size ? `${plural(files.size, "file")}, ${bytes(size)}` : "No file selected.");
    parts.fallback.disabled = !recipe.hasFallbacks();
    parts.fallbackField.hidden = parts.fallback.disabled;
    sayResults();
    sayLacking();
    // Readers may look, and enqueue nothing: the server plans for those who may.
    if (!recipe.isOpen() || session.isReader) return;
    turn += 1;
    const mine = turn;
    await new Promise((done) => setTimeout(done, TYPING));
    if (mine !== turn) return;
    const planned = recipe.value();
    /** @type {Plan | null} */
    let plan = null;
    /** @type {string | null} */
    let reason = null;
    try {
      plan = await api.post("/plan", { recipe: planned, outputs: recipe.outputs(), preset: recipe.preset() });
    } catch (refusal) {
      reason = /** @type {Error} */ (refusal).message;
    }
    // The recipe may be another by now.
    if (mine !== turn) return;
    isFit = plan !== null;
    recipe.refuse(reason);
    forecast.update([...files.keys()], plan && planned, rules());
    if (plan) parts.verdict.replaceChildren(...planWords(plan, size, recipe.use));
    else parts.verdict.replaceChildren(h("p", { class: "soft" }, "No worker: the recipe cannot work as it is."));
    sayLacking();
  }

  /** The rules that a person has set. */
  function rules() {
    const skipIf = parts.skipIf.value.trim();
    const minSaving = parts.minSaving.value;
    // What becomes of kept sources says nothing without a rule.
    const original = (skipIf || minSaving) && !replaces() ? /** @type {"leave" | "copy"} */ (parts.original.value) : "leave";
    return { skip_if: skipIf || null, min_saving: minSaving === "" ? null : Number(minSaving), original };
  }

  async function enqueue() {
    const hasFallback = !parts.fallback.disabled;
    const { name, renditions } = recipe.outputs();
    const receipt = await api.post("/jobs", {
      files: [...files.keys()],
      output: replaces() ? null : parts.output.value,
      replace: replaces() ? { days: Number(parts.days.value), trash: parts.trash.value.trim() || null, hard_links: /** @type {"refuse" | "replace"} */ (parts.hardLinks.value) } : null,
      sidecars: /** @type {"carry" | "leave" | ""} */ (parts.sidecars.value) || null,
      split: parts.split.value(),
      recipe: recipe.value(),
      name,
      renditions: renditions.length ? renditions : null,
      preset: recipe.preset(),
      priority: Number(parts.priority.value),
      worker: parts.worker.value || null,
      hop_after: hasFallback ? 60 * Number(parts.fallback.value) : null,
      rules: rules(),
    });
    const added = receipt.files.filter((file) => file.added).length;
    const refused = receipt.files.find((file) => !file.added);
    if (added) notes.note(`Enqueued: ${plural(added, "job")}`);
    if (refused) {
      const others = plural(receipt.files.length - added, "file");
      notes.note(`Not enqueued: ${others}, such as ${printable(refused.file)}: ${printable(refused.why ?? "")}`, "bad");
    }
    files.clear();
    if (added) location.hash = address("jobs", { batch: receipt.batch });
    else folder.load();
  }

  parts.form.addEventListener("submit", async (event) => {
    event.preventDefault();
    parts.submit.disabled = true;
    await notes.outcome(enqueue());
    update();
  });
  parts.results.addEventListener("change", () => update());
  parts.days.addEventListener("input", sayResults);
  for (const rule of [parts.skipIf, parts.minSaving]) rule.addEventListener("input", () => update());
  /** Checks the chosen files; those that were checked before keep their results. */
  async function check() {
    const receipt = await api.post("/checks", { files: [...files.keys()], depth: "full", priority: Number(parts.priority.value) });
    const jobs = receipt.files.flatMap(({ job }) => job ?? []);
    const missing = receipt.files.find(({ job }) => !job);
    if (missing) notes.note(`Not checked: ${printable(missing.file)}: ${printable(missing.why ?? "")}`, "bad");
    if (receipt.batch) location.hash = address("jobs", { batch: receipt.batch });
    else if (jobs.length === 1) location.hash = address(`jobs/${jobs[0]}`);
    else notes.note(`Checked already: ${plural(jobs.length, "file")}`);
  }

  /** Encodes short parts of the chosen film. */
  async function sample() {
    const [file = ""] = files.keys();
    const receipt = await api.post("/samples", { file, recipe: recipe.value(), priority: Number(parts.priority.value), worker: parts.worker.value || null });
    const refused = receipt.samples.find(({ job }) => !job);
    if (refused) notes.note(`Not sampled: ${printable(refused.why ?? "")}`, "bad");
    if (receipt.batch) location.hash = address(`samples/${receipt.batch}`);
  }

  parts.sample.addEventListener("click", async () => {
    parts.sample.disabled = true;
    await notes.outcome(sample());
    update();
  });
  parts.check.addEventListener("click", async () => {
    parts.check.disabled = true;
    await notes.outcome(check());
    update();
  });
  parts.save.addEventListener("click", async () => {
    if (await editPreset(deps, { recipe: recipe.value(), outputs: recipe.outputs() }, presets)) settings.load();
  });

  /** Who may run them: any worker, or one alone. */
  const unwatch = state.watch(({ workers }) =>
    offer(parts.worker, [["", "any that can"], ...workers.map(({ name }) => /** @type {[string, string]} */ ([name, `${name} alone`]))]),
  );

  function restore() {
    parts.worker.value = draft.worker;
    parts.priority.value = draft.priority;
    parts.fallback.value = draft.fallback;
    parts.results.value = draft.results;
    parts.output.value = draft.output;
    parts.days.value = draft.days;
    parts.trash.value = draft.trash;
    parts.hardLinks.value = draft.hardLinks;
    parts.sidecars.value = draft.sidecars;
    parts.split.fill(draft.split);
    parts.skipIf.value = draft.skipIf;
    parts.minSaving.value = draft.minSaving;
    parts.original.value = draft.original;
    if (draft.recipe) recipe.fill(draft.recipe, draft.outputs, draft.preset ?? "");
  }
  restore();
  settings.load();
  folder.load();
  update();

  return {
    show() {},
    unmount() {
      memory.set("new", {
        ...draft,
        recipe: recipe.isTouched() ? recipe.value() : null,
        outputs: recipe.outputs(),
        preset: recipe.preset(),
        worker: parts.worker.value,
        priority: parts.priority.value,
        fallback: parts.fallback.value,
        results: parts.results.value,
        output: parts.output.value,
        days: parts.days.value,
        trash: parts.trash.value,
        hardLinks: parts.hardLinks.value,
        sidecars: parts.sidecars.value,
        split: parts.split.value(),
        skipIf: parts.skipIf.value,
        minSaving: parts.minSaving.value,
        original: parts.original.value,
      });
      turn += 1;
      unwatch();
      recipe.unmount();
      forecast.stop();
      folder.stop();
      settings.stop();
    },
  };
}
