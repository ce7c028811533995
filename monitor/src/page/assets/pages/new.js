// A new job: files of the store, a recipe, who could run it, and off it goes.

import { get, post } from "../api.js";
import { h, say } from "../dom.js";
import { bytes, duration, fps, plural, printable } from "../format.js";
import { note } from "../notes.js";
import { address } from "../router.js";
import { state } from "../state.js";

const page = document.querySelector('[data-page="new"]');
const form = page.querySelector("form");
const trail = page.querySelector(".trail");
const entries = page.querySelector(".entries");
const chosen = page.querySelector(".chosen");
const verdict = page.querySelector(".verdict");
const problem = page.querySelector(".problem");
const submit = form.querySelector("button[type='submit']");

/** Chosen files by their path below the root, with their sizes. */
const files = new Map();
let here = "";
let isFit = false;

const below = (folder, name) => (folder ? `${folder}/${name}` : name);

async function browse(folder) {
  try {
    const found = await get(`store?${new URLSearchParams({ folder })}`);
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

/** The recipe that the form says. */
function recipe() {
  const said = Object.fromEntries(new FormData(form));
  const video = {};
  if (said.with === "copy") {
    return { video: "copy", audio: said.audio, container: said.container };
  }
  video.with = said.with.startsWith("any_") ? { codec: said.with.slice(4) } : { encoder: said.with };
  if (said.amount) video.rate = { [said.rate]: said.rate === "bitrate" ? said.amount : Number(said.amount) };
  if (said.preset.trim()) video.preset = said.preset.trim();
  return { video: { encode: video }, audio: said.audio, container: said.container };
}

/** What would happen: who could run it, and how long that takes. */
async function tell() {
  const size = [...files.values()].reduce((sum, size) => sum + size, 0);
  say(chosen, files.size ? `${plural(files.size, "file")}, ${bytes(size)}` : "No file is chosen.");
  form.elements.amount.disabled = form.elements.rate.value === "";
  let plan = null;
  try {
    plan = await post("plan", { recipe: recipe() });
  } catch (refusal) {
    isFit = false;
    verdict.replaceChildren(h("p", { class: "reason" }, refusal.message));
  }
  if (plan) {
    isFit = true;
    verdict.replaceChildren(...words(plan, size));
  }
  submit.disabled = !isFit || files.size === 0;
}

function words({ candidates, unfit, alternatives }, size) {
  const best = candidates.find((candidate) => candidate.measured);
  const time = best && size ? (best.measured.seconds_per_gigabyte * size) / 1e9 : null;
  const lines = [];
  if (candidates.length === 0) {
    lines.push(h("p", { class: "warning" }, "No live worker can run this: jobs would wait until one can."));
  } else if (time !== null) {
    lines.push(h("p", {}, `About ${duration(time)} on ${best.worker} alone, judged by ${plural(best.measured.jobs, "job")} of late.`));
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
      offer(other.encoder);
      tell();
    });
    lines.push(h("p", {}, button, ` proved on ${other.workers.join(", ")}, ${fps(other.fps)}`));
  }
  return lines;
}

/** Chooses an encoder, which is offered from now on. */
function offer(name) {
  const select = form.elements.with;
  if (![...select.options].some((option) => option.value === name)) select.append(h("option", { value: name }, name));
  select.value = name;
}

/** Every encoder and codec that a live worker has proved. */
function encoders() {
  const rows = Object.values(state?.cards ?? {}).flatMap((card) => card.encoders);
  const names = [...new Set(rows.map((row) => row.name))].sort();
  const codecs = [...new Set(rows.map((row) => row.codec).filter(Boolean))].sort();
  return [
    ...codecs.map((codec) => [`any_${codec}`, `${codec}: each worker's best`]),
    ...names.map((name) => [name, name]),
    ["copy", "copy: no encoding"],
  ];
}

form.addEventListener("change", (event) => event.target.closest(".entries") || tell());

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  submit.disabled = true;
  try {
    const said = new FormData(form);
    const receipt = await post("jobs", {
      files: [...files.keys()],
      output: said.get("output"),
      recipe: recipe(),
      priority: Number(said.get("priority")),
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

/** The page is shown. */
export function fresh() {
  const present = form.elements.with.value;
  form.elements.with.replaceChildren(...encoders().map(([value, words]) => h("option", { value }, words)));
  if (present) offer(present);
  browse(here);
  tell();
}
