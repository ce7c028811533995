// A new job: files of the store, a recipe, who could run it, and off it goes.

import { get, post } from "../api.js";
import { h, say, set } from "../dom.js";
import { editPreset } from "../editor.js";
import { bytes, duration, fps, plural, printable } from "../format.js";
import { note } from "../notes.js";
import { recipeForm } from "../recipe.js";
import { address } from "../router.js";
import { state, watch } from "../state.js";
import { foresight } from "./foresight.js";

const page = document.querySelector('[data-page="new"]');
const form = page.querySelector("form");
const trail = page.querySelector(".trail");
const entries = page.querySelector(".entries");
const chosen = page.querySelector(".chosen");
const verdict = page.querySelector(".verdict");
const problem = page.querySelector(".problem");
const save = form.querySelector(".save");
const submit = form.querySelector("button[type='submit']");
const lacking = form.querySelector(".lacking");
const foretell = foresight(page.querySelector(".foresight div"));
const recipe = recipeForm(form.querySelector(".recipe-form"), () => tell());

/** Chosen files by their path below the root, with their sizes. */
const files = new Map();
let here = "";
let isFit = false;
let presets = [];

/** Wait before a recipe that is being typed is asked about. */
const PAUSE = 250;

const below = (folder, name) => (folder ? `${folder}/${name}` : name);

async function browse(folder) {
  try {
    const found = await get(`store?${new URLSearchParams({ folder })}`);
    if (!found.root) throw new Error("The monitor has no store to choose files from. Start it with --store URL.");
    here = folder;
    problem.hidden = true;
    form.hidden = false;
    draw(found);
  } catch (refusal) {
    problem.hidden = false;
    say(problem, refusal.message);
    form.hidden = true;
  }
}

function step(words, folder) {
  const button = h("button", { class: "button small", type: "button" }, words);
  button.addEventListener("click", () => browse(folder));
  return button;
}

function draw({ root, folders, files: found }) {
  const parts = here.split("/").filter(Boolean);
  trail.replaceChildren(
    step(printable(root), ""),
    ...parts.map((part, at) => step(printable(part), parts.slice(0, at + 1).join("/"))),
  );
  const rows = folders.map((name) => h("li", {}, step(`${printable(name)}/`, below(here, name))));
  for (const { name, size } of found) {
    const path = below(here, name);
    const box = h("input", { type: "checkbox", value: path });
    box.checked = files.has(path);
    box.addEventListener("change", () => {
      box.checked ? files.set(path, size) : files.delete(path);
      tell();
    });
    rows.push(h("li", {}, h("label", {}, box, h("bdi", {}, printable(name)), h("span", { class: "soft" }, bytes(size)))));
  }
  entries.replaceChildren(...rows);
  if (rows.length === 0) entries.append(h("li", { class: "soft" }, "This folder is empty."));
}

let turn = 0;

/** What would happen: who could run it, and how long that takes. */
async function tell() {
  const size = [...files.values()].reduce((sum, size) => sum + size, 0);
  say(chosen, files.size ? `${plural(files.size, "file")}, ${bytes(size)}` : "No file is chosen.");
  const { hop } = form.elements;
  hop.disabled = !recipe.hops();
  hop.closest("label").hidden = hop.disabled;
  ready();
  // Readers may look, and hand in nothing: the server plans for those who may.
  if (!recipe.isOpen() || document.body.classList.contains("reader")) return;
  const mine = (turn += 1);
  // What is half typed is not asked about.
  await new Promise((done) => setTimeout(done, PAUSE));
  if (mine !== turn) return;
  let plan = null;
  let reason = null;
  try {
    plan = await post("plan", { recipe: recipe.value() });
  } catch (refusal) {
    reason = refusal.message;
  }
  // The recipe may be another by now.
  if (mine !== turn) return;
  isFit = plan !== null;
  recipe.refuse(reason);
  foretell([...files.keys()], plan && recipe.value());
  verdict.replaceChildren(...(plan ? words(plan, size) : [h("p", { class: "soft" }, "No worker: the recipe cannot work as it is.")]));
  ready();
}

/** Says why nothing can be handed in yet, where that is so. */
function ready() {
  const isReader = document.body.classList.contains("reader");
  const why = isReader ? "Your password is for looking only." : files.size === 0 ? "Choose at least one file." : isFit ? "" : "The recipe cannot work as it is: see above.";
  submit.disabled = why !== "";
  set(submit, "aria-describedby", why ? lacking.id : null);
  say(lacking, why);
}

function words({ candidates, unfit, alternatives }, size) {
  const best = candidates.find((candidate) => candidate.measured);
  const time = best && size ? (best.measured.seconds_per_gigabyte * size) / 1e9 : null;
  const lines = [];
  if (candidates.length === 0) {
    lines.push(h("p", { class: "warning" }, "No live worker can run this: jobs would wait until one can."));
  } else if (time !== null) {
    lines.push(h("p", {}, `About ${duration(time)} on ${best.worker} alone, estimated from ${plural(best.measured.jobs, "recent job")}.`));
  }
  const pick = (row) => {
    const encoder = row.encoder ? ` with ${row.encoder}` : "";
    const pace = row.fps ? `, ${fps(row.fps)} at 1280×720` : "";
    return h(
      "li",
      { "data-fits": "true" },
      h("strong", {}, row.worker),
      `${encoder}${pace} · score ${row.score}`,
      ...row.warnings.map((warning) => h("span", { class: "warning" }, ` · ${printable(warning)}`)),
    );
  };
  const rows = candidates.map(pick);
  for (const row of unfit) rows.push(h("li", { "data-fits": "false" }, h("strong", {}, row.worker), h("span", { class: "reason" }, ` ${printable(row.reason)}`)));
  lines.push(h("ul", {}, ...rows));
  for (const other of alternatives) {
    const button = h("button", { class: "button small", type: "button" }, `Use ${other.encoder} instead`);
    button.addEventListener("click", () => {
      recipe.use(other.encoder);
    });
    lines.push(h("p", {}, button, ` proved on ${other.workers.join(", ")}, ${fps(other.fps)}`));
  }
  return lines;
}

/** Who may run them: any worker, or one alone. */
function offerWorkers() {
  const select = form.elements.worker;
  const names = (state?.workers ?? []).map((row) => row.name);
  if (select.dataset.names === names.join() && select.options.length) return;
  select.dataset.names = names.join();
  const present = select.value;
  select.replaceChildren(h("option", { value: "" }, "any that can"), ...names.map((name) => h("option", { value: name }, `${name} alone`)));
  if (names.includes(present)) select.value = present;
}

save.addEventListener("click", async () => {
  if (await editPreset({ recipe: recipe.value() }, presets)) await findPresets();
});

async function findPresets() {
  try {
    const settings = await get("settings");
    ({ presets } = settings);
    recipe.presets(presets, settings.default);
  } catch (refusal) {
    note(refusal.message, "bad");
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  submit.disabled = true;
  try {
    const said = new FormData(form);
    const receipt = await post("jobs", {
      files: [...files.keys()],
      output: said.get("output"),
      recipe: recipe.value(),
      priority: Number(said.get("priority")),
      worker: said.get("worker") || null,
      hop_after: said.has("hop") ? 60 * Number(said.get("hop")) : null,
    });
    const added = receipt.files.filter((file) => file.added).length;
    const not = receipt.files.find((file) => !file.added);
    if (added) note(`Enqueued: ${plural(added, "job")}`);
    if (not) note(`Not enqueued: ${plural(receipt.files.length - added, "file")}, as ${printable(not.file)}: ${printable(not.why)}`, "bad");
    files.clear();
    if (added) location.hash = address("jobs", { batch: receipt.batch });
    else await browse(here);
  } catch (refusal) {
    note(refusal.message, "bad");
  }
  tell();
});

// What could not be asked for while the monitor was away is asked for again.
addEventListener("connected", () => {
  if (!page.hasAttribute("data-away") && form.hidden) {
    findPresets();
    browse(here);
  }
});

/** The page is shown. */
export function fresh() {
  const stops = [recipe.open(), watch(offerWorkers)];
  offerWorkers();
  findPresets();
  browse(here);
  tell();
  return () => stops.forEach((stop) => stop());
}
