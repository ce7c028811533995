// Who is looking: asks for a password where one is needed.

import { get, post, remove } from "./api.js";
import { say } from "./dom.js";

const dialog = document.getElementById("login");
const form = dialog.querySelector("form");
const problem = dialog.querySelector(".problem");
const leave = document.getElementById("leave");

/** Resolves once somebody may look; goes on asking whenever the session ends. */
export async function enter() {
  const standing = await get("session");
  if (standing.role) admit(standing);
  else await unlocked();
}

function admit({ role, locked }) {
  document.body.classList.toggle("reader", role === "reader");
  leave.hidden = !locked;
}

function unlocked() {
  if (dialog.open) return new Promise(() => {});
  dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      const password = form.elements.password;
      try {
        admit(await post("session", { password: password.value }));
        dialog.close();
        resolve();
      } catch (refusal) {
        problem.hidden = false;
        say(problem, refusal.message);
        password.select();
      }
      if (!dialog.open) form.reset();
    };
  });
}

// Closing it would leave an empty page.
dialog.addEventListener("cancel", (event) => event.preventDefault());
leave.addEventListener("click", async () => {
  await remove("session");
  location.reload();
});
