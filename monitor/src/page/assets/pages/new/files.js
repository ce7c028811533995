// @ts-check
// The files of the store, folder by folder, to choose from.

/** @import { Folder } from "#types" */

import { button, h } from "../../lib/dom.js";
import { bytes, printable } from "../../lib/format.js";

/**
 * @param {string} folder
 * @param {string} name
 */
const below = (folder, name) => (folder ? `${folder}/${name}` : name);

/**
 * @param {HTMLElement} trail the folders above
 * @param {HTMLElement} entries
 * @param {Map<string, number>} files chosen ones by their path below the root, with their sizes
 * @param {(folder: string) => void} browse
 * @param {() => void} changed
 */
export function fileBrowser(trail, entries, files, browse, changed) {
  /**
   * @param {string} words
   * @param {string} folder
   */
  function step(words, folder) {
    const element = button(words, { class: "button small" });
    element.addEventListener("click", () => browse(folder));
    return element;
  }

  /**
   * @param {string} path
   * @param {string} name
   * @param {number} size
   */
  function fileRow(path, name, size) {
    const box = h("input", { type: "checkbox", value: path });
    box.checked = files.has(path);
    box.addEventListener("change", () => {
      if (box.checked) files.set(path, size);
      else files.delete(path);
      changed();
    });
    return h("li", {}, h("label", {}, box, h("bdi", {}, printable(name)), h("span", { class: "soft" }, bytes(size))));
  }

  return {
    /**
     * @param {string} folder
     * @param {Folder} found
     */
    update(folder, { root, folders, files: found }) {
      const parts = folder.split("/").filter(Boolean);
      trail.replaceChildren(
        step(printable(root ?? ""), ""),
        ...parts.map((part, at) => step(printable(part), parts.slice(0, at + 1).join("/"))),
      );
      const rows = [
        ...folders.map((name) => h("li", {}, step(`${printable(name)}/`, below(folder, name)))),
        ...found.map(({ name, size }) => fileRow(below(folder, name), name, size)),
      ];
      entries.replaceChildren(...(rows.length ? rows : [h("li", { class: "soft" }, "This folder is empty.")]));
    },
  };
}
