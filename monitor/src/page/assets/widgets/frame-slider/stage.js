// @ts-check
// Two pictures one above the other under a divider. Both are zoomed and moved together.

import { h, set } from "../../lib/dom.js";

/** How near to the divider a press takes hold of it, in pixels. */
const NEAR = 24;
/** By how much a key moves the divider, in percent. */
const KEY = 2;
const MOST = 8;

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
const within = (value, least, most) => Math.min(Math.max(value, least), most);

export function createStage() {
  const input = h("img", { alt: "The input", draggable: "false" });
  const output = h("img", { alt: "The output", draggable: "false" });
  const above = h("div", { class: "frame-layer frame-above" }, input);
  const line = h("div", { class: "frame-line" });
  const element = h(
    "div",
    { class: "frame-stage", tabindex: 0, role: "slider", "aria-label": "Divider between input and output", "aria-valuemin": 0, "aria-valuemax": 100 },
    h("div", { class: "frame-layer" }, output),
    above,
    line,
  );
  let split = 50;
  let level = 1;
  // Where the pictures are moved to, as shares of the stage.
  let [x, y] = [0, 0];
  /** @type {(level: number) => void} */
  let zoomed = () => {};
  /** @type {(step: 1 | -1) => void} */
  let stepped = () => {};

  function draw() {
    const most = (level - 1) / 2;
    [x, y] = [within(x, -most, most), within(y, -most, most)];
    element.style.setProperty("--split", `${split}%`);
    element.style.setProperty("--level", String(level));
    element.style.setProperty("--x", `${x * 100}%`);
    element.style.setProperty("--y", `${y * 100}%`);
    set(element, "aria-valuenow", String(Math.round(split)));
    set(element, "aria-valuetext", `${Math.round(split)} % input`);
  }

  /** @param {number} to */
  function zoom(to) {
    level = within(to, 1, MOST);
    draw();
    zoomed(level);
  }

  /** @param {number} to */
  function divide(to) {
    split = within(to, 0, 100);
    draw();
  }

  /** @type {"divider" | "pictures" | null} what the pointer holds */
  let held = null;
  element.addEventListener("pointerdown", (event) => {
    const box = element.getBoundingClientRect();
    const isNear = Math.abs(event.clientX - box.left - (split / 100) * box.width) < NEAR;
    held = level > 1 && !isNear ? "pictures" : "divider";
    element.setPointerCapture(event.pointerId);
    if (held === "divider") divide(((event.clientX - box.left) / box.width) * 100);
  });
  element.addEventListener("pointermove", (event) => {
    if (!held) return;
    const box = element.getBoundingClientRect();
    if (held === "divider") divide(((event.clientX - box.left) / box.width) * 100);
    else {
      x += event.movementX / box.width;
      y += event.movementY / box.height;
      draw();
    }
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    element.addEventListener(end, () => {
      held = null;
    });
  }
  element.addEventListener(
    "wheel",
    (event) => {
      // Without a key, the wheel scrolls the page as everywhere.
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(level - Math.sign(event.deltaY) / 2);
    },
    { passive: false },
  );
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => divide(split - KEY),
    ArrowRight: () => divide(split + KEY),
    Home: () => divide(0),
    End: () => divide(100),
    "+": () => zoom(level + 0.5),
    "-": () => zoom(level - 0.5),
    ",": () => stepped(-1),
    ".": () => stepped(1),
  };
  element.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  });
  draw();

  return {
    element,
    zoom,
    /** @param {(level: number) => void} told */
    onZoom(told) {
      zoomed = told;
    },
    /** @param {(step: 1 | -1) => void} told */
    onStep(told) {
      stepped = told;
    },
    isShown: () => input.hasAttribute("src"),
    /**
     * @param {string} before
     * @param {string} after
     */
    show(before, after) {
      input.src = before;
      output.src = after;
    },
    clear() {
      input.removeAttribute("src");
      output.removeAttribute("src");
      [split, level, x, y] = [50, 1, 0, 0];
      draw();
    },
  };
}
