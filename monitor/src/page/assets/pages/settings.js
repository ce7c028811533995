// What holds for the whole farm: presets, how long history is kept, and the
// orders that stand.

import { get, put, remove } from "../api.js";
import { askHours, leaveHours, pause } from "../control.js";
import { ask as confirm } from "../dialog.js";
import { h, keyed, say, set } from "../dom.js";
import { editPreset } from "../editor.js";
import { ago, duration, plural, printable, time } from "../format.js";
import { order } from "../notes.js";
import { address } from "../router.js";
import { watch } from "../state.js";

const page = document.querySelector('[data-page="settings"]');
const problem = page.querySelector(".problem");
const list = page.querySelector(".presets");
const create = page.querySelector(".create");
const standard = page.querySelector("form.default");
const kept = page.querySelector(".kept");
const retention = page.querySelector("form.retention");
const orders = page.querySelector(".orders");
const none = page.querySelector(".none");

/** Time between two looks: others may change settings, too. */
const LOOK = 5000;
const DAY = 86400;

let settings = null;
/** What people call batches, by id. */
let labels = new Map();

/** Gives an order about settings, and shows how they are then. */
async function give(giving, done) {
  await order(giving, done);
  await ask();
}

async function edit(preset) {
  if (await editPreset(preset, settings.presets)) await ask();
}

async function forget({ name, built_in: isBuiltIn, revision }) {
  const after = isBuiltIn ? "The one that is built in takes its place." : "Jobs keep the recipe that they were made with.";
  const sure = await confirm(`Remove the preset ${name}?`, [h("p", {}, after)], "Remove preset", { tone: "bad" });
  if (!sure) return;
  await give(remove(`presets/${encodeURIComponent(name)}?revision=${revision}`), `Removed the preset ${name}`);
  // The button that was pressed is gone.
  if (document.activeElement === document.body) create.focus();
}

function presetRow({ name }) {
  const standing = h("span", { class: "status" });
  const source = h("span", { class: "soft" });
  const words = h("p", { class: "words" });
  const use = h("p", { class: "soft" });
  const change = h("button", { class: "button small", type: "button", "aria-label": `Edit the preset ${name}` }, "Edit…");
  const away = h("button", { class: "button small", type: "button", "data-tone": "bad", "aria-label": `Remove the preset ${name}` }, "Remove");
  let shown = null;
  change.addEventListener("click", () => edit(shown));
  away.addEventListener("click", () => forget(shown));
  const element = h(
    "li",
    { "data-name": name },
    h("div", { class: "line" }, h("strong", { class: "mono" }, name), standing, source, h("span", { class: "end act" }, change, " ", away)),
    words,
    use,
  );
  return {
    element,
    update(preset) {
      shown = preset;
      const isDefault = preset.name === settings.default;
      say(standing, isDefault ? "default" : "");
      standing.hidden = !isDefault;
      say(source, preset.revision === null ? "built in" : preset.built_in ? "in place of the one built in" : "");
      say(words, printable(preset.words));
      say(use, printable(preset.note ?? ""));
      use.hidden = !preset.note;
      away.hidden = preset.revision === null;
    },
  };
}

function drawDefault() {
  const select = standard.elements.preset;
  const names = settings.presets.map((preset) => preset.name);
  const before = settings.default ?? "";
  // One that is gone is still named, so that it can be seen and changed.
  if (before && !names.includes(before)) names.push(before);
  const isOther = select.dataset.names !== names.join() || select.dataset.saved !== before;
  if (!isOther) return;
  const isChosen = select.dataset.saved === before ? select.value : before;
  select.replaceChildren(h("option", { value: "" }, "none: every job names its recipe"), ...names.map((name) => h("option", { value: name }, name)));
  select.value = names.includes(isChosen) ? isChosen : "";
  select.dataset.names = names.join();
  select.dataset.saved = before;
}

const span = (seconds) => (seconds === 0 ? "for ever" : seconds % DAY === 0 ? plural(seconds / DAY, "day") : duration(seconds));

function drawHistory({ days, events, batches }) {
  const both = events === batches ? `Kept for ${span(events)}.` : `What happened to jobs is kept for ${span(events)}, batches for ${span(batches)}.`;
  const other = days !== null && (events !== days * DAY || batches !== days * DAY);
  say(kept, other ? `${both} Here it was set to ${plural(days, "day")}; somebody changed the streams since.` : both);
  const input = retention.elements.days;
  const now = String(Math.round(events / DAY) || "");
  // What a person is typing is left alone.
  if (input.value === (input.dataset.saved ?? "")) input.value = now;
  input.dataset.saved = now;
}

standard.addEventListener("submit", (event) => {
  event.preventDefault();
  const preset = standard.elements.preset.value;
  const giving = preset ? put("settings/default", { preset }) : remove("settings/default");
  give(giving, preset ? `${preset} is the default recipe` : "There is no default recipe");
});

retention.addEventListener("submit", async (event) => {
  event.preventDefault();
  const days = Number(retention.elements.days.value);
  const { events, batches } = settings.history;
  const isShorter = [events, batches].some((seconds) => seconds === 0 || days * DAY < seconds);
  const warning = "What is older is deleted at once, and cannot be brought back.";
  if (isShorter && !(await confirm(`Keep history for ${plural(days, "day")} only?`, [h("p", {}, warning)], "Delete what is older", { tone: "bad" }))) return;
  await give(put("settings/history", { days }), `History is kept for ${plural(days, "day")}`);
});

create.addEventListener("click", () => edit({}));

/** What an order is about: a name, a link to it, and what it does. */
function subject(target) {
  const [kind, name] = [target.slice(0, target.indexOf(".")), target.slice(target.indexOf(".") + 1)];
  if (kind === "queue") return { name, title: `Queue ${name}`, paused: "is paused", link: address("jobs", { queue: name }) };
  if (kind === "worker") return { name, title: name, paused: "takes no more jobs", link: address("jobs", { worker: name }) };
  return { name, title: `Batch ${labels.get(name) ?? name.slice(0, 8)}`, paused: "is paused", link: address("jobs", { batch: name }) };
}

function orderRow({ target }) {
  const link = h("a", { class: "name" });
  const words = h("span", {});
  const since = h("time", { class: "soft" });
  const resume = h("button", { class: "button small", type: "button" }, "Resume");
  const hours = h("button", { class: "button small", type: "button" }, "Hours…");
  const free = h("button", { class: "button small", type: "button" }, "Take back hours");
  const { name } = subject(target);
  resume.addEventListener("click", () => pause(target, false));
  hours.addEventListener("click", () => askHours(name));
  free.addEventListener("click", () => leaveHours(name));
  const element = h("li", { class: "line", "data-target": target }, link, words, since, h("span", { class: "end act" }, resume, " ", hours, " ", free));
  return {
    element,
    update(row) {
      const about = subject(row.target);
      say(link, printable(about.title));
      set(link, "href", about.link);
      say(words, [row.paused ? about.paused : "", row.hours ? `starts jobs ${row.hours}` : ""].filter(Boolean).join(" · "));
      say(since, ago(row.since, Date.now()));
      set(since, "datetime", row.since);
      set(since, "title", time(row.since, Date.now()));
      resume.hidden = !row.paused;
      hours.hidden = !row.target.startsWith("worker.");
      free.hidden = !row.hours;
      set(resume, "aria-label", printable(`Resume ${about.title}`));
      set(hours, "aria-label", `Hours of ${name}`);
      set(free, "aria-label", `Take back the hours of ${name}`);
    },
  };
}

let standing = [];

function drawOrders() {
  none.hidden = standing.length > 0;
  keyed(orders, standing, (row) => row.target, orderRow);
}

async function nameBatches() {
  const isUnnamed = ({ target }) => target.startsWith("batch.") && !labels.has(target.slice(6));
  if (!standing.some(isUnnamed)) return;
  const found = await get("batches").catch(() => []);
  labels = new Map(found.map((batch) => [batch.id, batch.label]));
  drawOrders();
}

async function ask() {
  try {
    settings = await get("settings");
    problem.hidden = true;
    create.disabled = false;
    keyed(list, settings.presets, (preset) => preset.name, presetRow);
    drawDefault();
    drawHistory(settings.history);
  } catch (refusal) {
    problem.hidden = false;
    say(problem, refusal.message);
  }
}

/** The page is shown. */
export function settingsPage() {
  const stop = watch(({ controls }) => {
    const isOther = JSON.stringify(controls) !== JSON.stringify(standing);
    standing = controls;
    drawOrders();
    if (isOther) nameBatches();
  });
  ask();
  const timer = setInterval(() => document.hidden || ask(), LOOK);
  return () => {
    stop();
    clearInterval(timer);
  };
}
