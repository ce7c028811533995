// @ts-check
// Folders that the farm keeps in shape: all of them with their totals, or one with its files.

/** @import { Mount, Page } from "#types" */

import { librariesView } from "./list.js";
import { libraryView } from "./library.js";

/** @type {Mount} */
export function mount(element, deps) {
  /** @type {{ name: string | null, page: Page } | null} */
  let shown = null;

  function unmount() {
    shown?.page.unmount();
    shown = null;
    element.replaceChildren();
  }

  return {
    show(route) {
      const name = route.path[1] ?? null;
      if (shown?.name !== name) {
        unmount();
        shown = { name, page: name === null ? librariesView(element, deps) : libraryView(element, deps, name) };
      }
      shown.page.show(route);
    },
    unmount,
  };
}
