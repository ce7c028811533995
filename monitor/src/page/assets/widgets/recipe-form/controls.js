// @ts-check
// The controls that fields of a recipe are made of.

import { h } from "../../lib/dom.js";

/**
 * @param {string} value
 * @param {string} words
 */
export const option = (value, words = value) => h("option", { value }, words);

/**
 * A group of options; none where it would be empty.
 * @param {string} label
 * @param {[string, string][]} options
 */
export const optionGroup = (label, options) =>
  options.length ? [h("optgroup", { label }, ...options.map(([value, words]) => option(value, words)))] : [];

/**
 * Chooses a value, which is offered from now on.
 * @param {HTMLSelectElement} select
 * @param {string} value
 */
export function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.append(option(value, value.split(",").join(", then ")));
  select.value = value;
}

/**
 * @param {string} name
 * @param {string} placeholder
 */
export const text = (name, placeholder = "") => h("input", { name, placeholder, autocomplete: "off", spellcheck: "false" });

/**
 * @param {string} name
 * @param {[string, string][]} options
 */
export const choice = (name, ...options) => h("select", { name }, ...options.map(([value, words]) => option(value, words)));
