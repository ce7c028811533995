// Building and updating elements. Text only ever becomes text: there is no
// way in here to turn a string into markup.

/** An element with attributes (`null` and `false` leave one out) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    set(element, name, value);
  }
  element.append(...children);
  return element;
}

/** Sets an attribute where it differs; `null` and `false` take it away. */
export function set(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Sets text where it differs, so that a selection or a reader is not disturbed. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const known = new WeakMap();

/**
 * Makes the children of `parent` match `items`: one row for each key, kept
 * for as long as its key is there. `create(item)` gives `{ element, update }`.
 */
export function keyed(parent, items, keyOf, create, ...context) {
  const before = known.get(parent) ?? new Map();
  const after = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (!after.has(key)) after.set(key, before.get(key) ?? create(item));
  }
  for (const [key, row] of before) {
    if (!after.has(key)) row.element.remove();
  }
  let place = parent.firstElementChild;
  for (const row of after.values()) {
    if (row.element === place) {
      place = place.nextElementSibling;
    } else {
      parent.insertBefore(row.element, place);
    }
  }
  for (const item of items) {
    after.get(keyOf(item)).update(item, ...context);
  }
  known.set(parent, after);
}
