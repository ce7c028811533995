// @ts-check
// Who is looking: asks for a password where one is needed.

/** @import { Api } from "./api.js" */

import { h, problemLine, sayProblem } from "./dom.js";

function loginDialog() {
  const name = h("input", { name: "user", autocomplete: "username" });
  const nameField = h("label", { class: "field" }, h("span", { class: "label" }, "Name"), name);
  const password = h("input", { type: "password", name: "password", autocomplete: "current-password", required: true });
  const problem = problemLine();
  const form = h(
    "form",
    {},
    h("h2", { id: "login-title" }, "This monitor asks for a password"),
    nameField,
    h("label", { class: "field" }, h("span", { class: "label" }, "Password"), password),
    problem,
    h("p", { class: "choices" }, h("button", { class: "button strong", type: "submit" }, "Log in")),
  );
  const dialog = h("dialog", { id: "login", "aria-labelledby": "login-title" }, form);
  // Closing it would leave an empty page.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(dialog);

  /** @param {boolean} asksNames */
  function open(asksNames) {
    nameField.hidden = !asksNames;
    // Password managers keep a password by a name.
    if (!asksNames) name.value = "monitor";
    dialog.showModal();
  }

  /** What the person has given. */
  const given = () => ({ name: nameField.hidden ? null : name.value.trim(), password: password.value });
  return { dialog, form, given, open, password, problem };
}

/**
 * @param {Api} api
 * @param {HTMLButtonElement} logout
 */
export function createSession(api, logout) {
  const { dialog, form, given, open, password, problem } = loginDialog();
  let isReader = false;

  /** @param {{ role?: string | null, name?: string | null, locked: boolean }} session */
  function admit({ role, name, locked }) {
    isReader = role === "reader";
    document.body.classList.toggle("reader", isReader);
    logout.hidden = !locked;
    logout.title = name ? `Log out ${name}` : "";
  }

  /** @param {boolean} asksNames */
  function unlocked(asksNames) {
    if (dialog.open) return new Promise(() => {});
    open(asksNames);
    return new Promise((resolve) => {
      form.onsubmit = async (event) => {
        event.preventDefault();
        try {
          admit(await api.post("/session", given()));
          dialog.close();
          sayProblem(problem, null);
          form.reset();
          resolve(undefined);
        } catch (refusal) {
          sayProblem(problem, /** @type {Error} */ (refusal).message);
          password.select();
        }
      };
    });
  }

  logout.addEventListener("click", async () => {
    await api.remove("/session");
    location.reload();
  });

  return {
    /** Whether this person may look only. */
    get isReader() {
      return isReader;
    },
    /** Resolves once somebody may look. */
    async enter() {
      const session = await api.get("/session");
      if (session.role) admit(session);
      else await unlocked(session.asks_names);
    },
  };
}

/** @typedef {ReturnType<typeof createSession>} Session */
