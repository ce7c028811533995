// @ts-check
// What comes in by itself moves nothing under a pointer: while a button is pressed or something is dragged, the page
// stays as it is, and is drawn anew right afterwards. A browser ends a drag whose source moves away at its start, and a
// click that is released over another element than it pressed is no click.

/** A press whose end was never seen (released outside the window, say) holds nothing for longer. In milliseconds. */
const LONGEST = 10_000;

/**
 * Gives the function that does `work` once nothing is pressed or dragged; now, where that is so. The same function is
 * done once.
 * @returns {(work: () => void) => void}
 */
export function createWhenStill() {
  let isPressed = false;
  let isDragged = false;
  let longest = 0;
  /** @type {Set<() => void>} */
  const waiting = new Set();

  function settle() {
    if (isPressed || isDragged) return;
    const due = [...waiting];
    waiting.clear();
    for (const work of due) work();
  }

  /**
   * @param {boolean} pressed
   * @param {boolean} dragged
   */
  function hold(pressed, dragged) {
    isPressed = pressed;
    isDragged = dragged;
    clearTimeout(longest);
    if (isPressed) longest = setTimeout(() => hold(false, isDragged), LONGEST);
    // The click itself comes after the button's release.
    if (!isPressed && !isDragged) setTimeout(settle);
  }

  addEventListener("pointerdown", () => hold(true, false), true);
  addEventListener("pointerup", () => hold(false, false), true);
  addEventListener("pointercancel", () => hold(false, isDragged), true);
  // There are no pointer events while something is dragged.
  addEventListener("pointermove", (event) => event.buttons === 0 && (isPressed || isDragged) && hold(false, false), true);
  addEventListener("dragstart", (event) => event.defaultPrevented || hold(false, true));
  addEventListener("dragend", () => hold(false, false));
  addEventListener("drop", () => hold(false, false));

  return (work) => {
    if (isPressed || isDragged) waiting.add(work);
    else work();
  };
}
