// @ts-check
// What holds for the whole farm: presets, how long history is kept, and the orders in force.

/** @import { Mount } from "#types" */

import { h, problemLine, sayProblem } from "../../lib/dom.js";
import { createLoader, everySoOften } from "../../lib/retry.js";
import { activeHolds } from "./holds.js";
import { presetSettings } from "./presets.js";
import { retentionSettings } from "./retention.js";

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
  const holds = activeHolds(deps);
  element.append(h("div", { class: "column" }, problem, presets.element, retention.element, holds.element));
  const stop = everySoOften(loader.load, INTERVAL);

  return {
    show() {},
    unmount() {
      stop();
      loader.stop();
      holds.unmount();
    },
  };
}
