// @ts-check
// What holds for the whole farm: presets, hooks, how long history is kept, the orders in force, and who changed what.

/** @import { Mount } from "#types" */

import { h, problemLine, sayProblem } from "../../lib/dom.js";
import { createLoader, everySoOften } from "../../lib/retry.js";
import { activity } from "./activity.js";
import { activeHolds } from "./holds.js";
import { hookSettings } from "./hooks.js";
import { presetSettings } from "./presets.js";
import { retentionSettings } from "./retention.js";
import { thisBrowser } from "./this-browser.js";

/** Others may change settings, too. In milliseconds. */
const INTERVAL = 5000;

/** @type {Mount} */
export function mount(element, deps) {
  const problem = problemLine();
  const loader = createLoader(
    () => deps.api.get("/settings"),
    (settings) => {
      sayProblem(problem, null);
      presets.update(settings.presets, settings.default);
      retention.update(settings.history);
    },
    ({ message }) => sayProblem(problem, message),
  );
  const presets = presetSettings(deps, loader.load);
  const retention = retentionSettings(deps, loader.load);
  const hooksProblem = problemLine();
  // By themselves: a monitor may have no right to read hooks, and shows the rest.
  const hooksLoader = createLoader(
    () => deps.api.get("/hooks"),
    (found) => {
      sayProblem(hooksProblem, null);
      hooks.update(found);
    },
    ({ message }) => sayProblem(hooksProblem, message),
  );
  const hooks = hookSettings(deps, hooksLoader.load);
  hooks.element.append(hooksProblem);
  const browser = thisBrowser(deps);
  const holds = activeHolds(deps);
  const changes = deps.session.isReader ? null : activity(deps);
  element.append(
    h("div", { class: "column" }, problem, presets.element, hooks.element, browser.element, retention.element, holds.element, ...(changes ? [changes.element] : [])),
  );
  const stop = everySoOften(loader.load, INTERVAL);
  const stopHooks = everySoOften(hooksLoader.load, INTERVAL);

  return {
    show() {},
    unmount() {
      stop();
      loader.stop();
      stopHooks();
      hooksLoader.stop();
      holds.unmount();
      changes?.unmount();
    },
  };
}
