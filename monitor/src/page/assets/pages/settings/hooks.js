// @ts-check
// Hooks: who is told of what happens.

/** @import { Deps, HookRow, Hooks, Row } from "#types" */

import { button, h, keyedList, say, set } from "../../lib/dom.js";
import { ago, capitalised, localTimes, printable, time } from "../../lib/format.js";
import { field, question } from "../../widgets/dialog.js";

/**
 * @typedef {object} HookActions
 * @property {(hook: HookRow, tried: HTMLButtonElement) => void} test
 * @property {(hook: HookRow) => void} remove
 */

/**
 * @param {HookRow} first
 * @param {HookActions} actions
 * @returns {Row<HookRow, []>}
 */
function hookRow(first, actions) {
  const { name } = first;
  let shown = first;
  const target = h("span", { class: "words" });
  const events = h("p", { class: "soft" });
  const sent = h("time", { class: "soft" });
  const error = h("p", { class: "reason" });
  const dropped = h("p", { class: "reason" });
  const test = button("Test", { class: "button small", "aria-label": `Test the hook ${name}` });
  const remove = button("Remove", { class: "button small", "data-tone": "bad", "aria-label": `Remove the hook ${name}` });
  test.addEventListener("click", () => actions.test(shown, test));
  remove.addEventListener("click", () => actions.remove(shown));
  const head = h("div", { class: "line" }, h("strong", { class: "mono" }, name), target, h("span", { class: "end act" }, test, " ", remove));
  return {
    element: h("li", { "data-hook": name }, head, events, sent, error, dropped),
    update(hook) {
      shown = hook;
      const now = Date.now();
      say(target, printable(hook.target));
      const only = hook.only ? ` · only ${hook.only}` : "";
      say(events, printable(`${hook.on.join(", ")}${only} · ${hook.template}${hook.signed ? ", signed" : ""}`));
      say(sent, hook.sent ? `last taken ${ago(hook.sent, now)}` : "nothing was taken yet");
      set(sent, "title", hook.sent ? time(hook.sent, now) : null);
      say(error, capitalised(localTimes(printable(hook.error ?? ""))));
      error.hidden = !hook.failing;
      say(dropped, `Messages dropped because too many waited: ${hook.dropped}`);
      dropped.hidden = hook.dropped === 0;
    },
  };
}

/** @param {Hooks} offered */
function fields({ events, usual, templates }) {
  const address = h("input", { name: "url", required: true, autocomplete: "off", spellcheck: false, placeholder: "https://…, ntfy://…, smtps://…" });
  const boxes = events.map((event) => {
    const box = h("input", { type: "checkbox", name: "on", value: event, checked: usual.includes(event) });
    return h("label", {}, box, ` ${event}`);
  });
  const template = h("select", { name: "template" }, h("option", { value: "" }, "by the address"), ...templates.map((name) => h("option", { value: name }, name)));
  return [
    field("Name", h("input", { name: "name", required: true, pattern: "[A-Za-z0-9_\\-]+", maxlength: 128, autocomplete: "off" })),
    field("Address", address, "It is not shown again."),
    h("fieldset", { class: "events" }, h("legend", {}, "Tell it of"), ...boxes),
    field("Form", template),
    field("Secret for signatures", h("input", { name: "secret", type: "password", autocomplete: "new-password", minlength: 16 }), "Optional; at least 16 characters."),
    field("Only", h("input", { name: "only", autocomplete: "off" }), "Optional; the label of a batch, or a library."),
  ];
}

/**
 * @param {Deps} deps
 * @param {() => Promise<void> | void} reload shows how the hooks are now
 */
export function hookSettings({ api, notes }, reload) {
  const list = h("ul", { class: "rows hooks" });
  const none = h("p", { class: "empty none" }, "Nobody is told of what happens.");
  const create = button("New hook…", { class: "button create-hook", disabled: true });
  const element = h(
    "section",
    { class: "panel", "aria-labelledby": "hooks-title" },
    h("h2", { id: "hooks-title" }, "Hooks"),
    h("p", { class: "hint" }, "Addresses that are told when a batch is done, a job failed or a worker is lost. This monitor sends them, whether somebody looks or not."),
    list,
    none,
    h("p", { class: "filters act" }, create),
  );
  /** @type {Hooks} */
  let offered = { hooks: [], events: [], usual: [], templates: [] };

  /** @param {FormData} data */
  async function save(data) {
    /** @param {string} name */
    const text = (name) => String(data.get(name) ?? "").trim();
    const hook = text("name");
    await api.put("/hooks/{hook}", { hook }, {
      url: text("url"),
      on: data.getAll("on").map(String),
      template: text("template") || null,
      secret: text("secret") || null,
      only: text("only") || null,
    });
    notes.note(`Saved the hook ${hook}`);
    await reload();
  }

  /**
   * @param {HookRow} hook
   * @param {HTMLButtonElement} tried
   */
  async function test({ name }, tried) {
    tried.disabled = true;
    const answer = await notes.outcome(api.post("/hooks/{hook}/test", null, { hook: name }));
    tried.disabled = false;
    if (answer) notes.note(capitalised(printable(answer.words)), answer.taken ? "good" : "bad");
    await reload();
  }

  /** @param {HookRow} hook */
  async function remove({ name, revision }) {
    const sure = await question(`Remove the hook ${name}?`, [h("p", {}, "It is told of nothing more.")], "Remove hook", { tone: "bad" });
    if (!sure) return;
    await notes.outcome(api.remove("/hooks/{hook}", { hook: name, revision }), `Removed the hook ${name}`);
    await reload();
    // The button that was pressed is gone.
    if (document.activeElement === document.body) create.focus();
  }

  create.addEventListener("click", () => question("New hook", fields(offered), "Save hook", { act: save }));
  const update = keyedList(list, (hook) => hook.name, (/** @type {HookRow} */ hook) => hookRow(hook, { test, remove }));

  return {
    element,
    /** @param {Hooks} found */
    update(found) {
      offered = found;
      create.disabled = false;
      none.hidden = found.hooks.length > 0;
      update(found.hooks);
    },
  };
}
