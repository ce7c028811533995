// The page: takes in the live state and has each part drawn from it.

import { count } from "./format.js";
import { attention } from "./render/attention.js";
import { connectionLine } from "./render/connection.js";
import { ended } from "./render/ended.js";
import { queues } from "./render/queues.js";
import { running } from "./render/running.js";
import { totals } from "./render/totals.js";
import { next, retrying } from "./render/waiting.js";
import { workers } from "./render/workers.js";
import { follow } from "./stream.js";

const PARTS = [attention, totals, running, retrying, next, ended, queues, workers];

let state = null;
let link = "connecting";
/** The server's clock less ours: ages are right on a machine whose clock is not. */
let offset = 0;
let isDue = false;

function draw() {
  isDue = false;
  // While nothing new can come, ages stand still too.
  const now = Date.now() + offset;
  connectionLine(state, link, now);
  if (!state) return;
  for (const part of PARTS) part(state, now);
  const { running: busy, pending } = state.totals;
  document.title = busy || pending ? `${count(busy)} running · ${count(pending)} pending – ffmpeg-easy` : "ffmpeg-easy";
}

/** However much comes in, the page is drawn once a frame. */
function redraw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(draw);
}

follow("/api/v1/live", {
  whole(sections) {
    state = sections;
    redraw();
  },
  change(sections) {
    state = { ...state, ...sections };
    redraw();
  },
  clock(at) {
    offset = at - Date.now();
  },
  link(isUp) {
    link = isUp ? "live" : "lost";
    redraw();
  },
});

// Ages grow although nothing comes in.
setInterval(() => document.hidden || redraw(), 1000);
