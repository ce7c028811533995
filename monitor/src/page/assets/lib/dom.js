// @ts-check
// Building and updating elements. Text only ever becomes text: no function here turns a string into markup.

/** @import { Row } from "#types" */

import { capitalised } from "./format.js";

/** @typedef {string | number | boolean | null | undefined} Value */

/**
 * An element with attributes (`null` and `false` leave one out) and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, Value>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...children);
  return element;
}

/**
 * Sets an attribute where it differs; `null` and `false` take it away.
 * @param {Element} element
 * @param {string} name
 * @param {Value} value
 */
export function set(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/**
 * Sets text where it differs, so that a selection or a screen reader is not disturbed.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Shows an error in a paragraph made for it; `null` hides the paragraph.
 * @param {HTMLElement} element
 * @param {string | null} message
 */
export function sayProblem(element, message) {
  element.hidden = message === null;
  say(element, capitalised(message ?? ""));
}

/** A paragraph for errors, hidden as long as there is none. */
export const problemLine = () => h("p", { class: "problem", role: "alert", hidden: true });

/**
 * A button that submits nothing.
 * @param {string} words
 * @param {Record<string, Value>} [attributes]
 */
export const button = (words, attributes = {}) => h("button", { class: "button", type: "button", ...attributes }, words);

/**
 * Keeps the children of `parent` in step with a list: one row for each key, for as long as the key is in the list.
 * Gives the function that brings a new list; `context` goes to each row's `update`.
 * @template T
 * @template {any[]} C
 * @param {Element} parent
 * @param {(item: T) => string | number} keyOf
 * @param {(item: T) => Row<T, C>} create
 * @returns {(items: T[], ...context: C) => void}
 */
export function keyedList(parent, keyOf, create) {
  /** @type {Map<string | number, Row<T, C>>} */
  let rows = new Map();
  return (items, ...context) => {
    const before = rows;
    rows = new Map();
    for (const item of items) {
      const key = keyOf(item);
      if (!rows.has(key)) rows.set(key, before.get(key) ?? create(item));
    }
    for (const [key, row] of before) if (!rows.has(key)) row.element.remove();
    let next = parent.firstElementChild;
    for (const { element } of rows.values()) {
      if (element === next) next = next.nextElementSibling;
      else parent.insertBefore(element, next);
    }
    for (const item of items) rows.get(keyOf(item))?.update(item, ...context);
  };
}

/**
 * Rows of a list of facts, `[name, value]`; those without a value are left out.
 * @param {[string, string | null | undefined][]} facts
 */
export const factRows = (facts) =>
  facts.flatMap(([name, value]) => (value ? [h("div", {}, h("dt", {}, name), h("dd", {}, value))] : []));

/**
 * A table that scrolls sideways by itself, and by keyboard.
 * @param {string} label
 * @param {HTMLTableElement} table
 */
export const scrolling = (label, table) => h("div", { class: "scroll", role: "region", "aria-label": label, tabindex: 0 }, table);

/**
 * The head of a table: `[label, class]` for each column.
 * @param {[string, string?][]} columns
 */
export const tableHead = (columns) =>
  h("thead", {}, h("tr", {}, ...columns.map(([label, kind]) => h("th", { scope: "col", class: kind }, label))));

/**
 * Offers these options in a select, with the present choice kept where it is still offered.
 * @param {HTMLSelectElement} select
 * @param {[string, string][]} options value and words
 */
export function offer(select, options) {
  const present = select.value;
  const offered = [...select.options].map(({ value }) => value);
  const isSame = offered.length === options.length && options.every(([value], at) => value === offered[at]);
  if (isSame) return;
  select.replaceChildren(...options.map(([value, words]) => h("option", { value }, words)));
  if (options.some(([value]) => value === present)) select.value = present;
}
