// The page: takes in the live state and has each part drawn from it.

import { count } from "./format.js";
import { batches } from "./pages/batches.js";
import { broker } from "./pages/broker.js";
import { history } from "./pages/history.js";
import { job } from "./pages/job.js";
import { jobs } from "./pages/jobs.js";
import { fresh } from "./pages/new.js";
import { settingsPage } from "./pages/settings.js";
import { trend } from "./pages/trend.js";
import { workersPage } from "./pages/workers.js";
import { attention } from "./render/attention.js";
import { connectionLine } from "./render/connection.js";
import { ended } from "./render/ended.js";
import { queues } from "./render/queues.js";
import { running } from "./render/running.js";
import { totals } from "./render/totals.js";
import { next, retrying } from "./render/waiting.js";
import { workers } from "./render/workers.js";
import { current, route } from "./router.js";
import { enter } from "./session.js";
import { change, state, whole } from "./state.js";
import { whenStill } from "./still.js";
import { follow } from "./stream.js";

const OVERVIEW = [attention, totals, running, retrying, next, ended, queues];

/** Wait before the monitor is asked again that gave no answer. */
const AGAIN = 1000;

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
  const page = current();
  if (page === "overview") for (const part of OVERVIEW) part(state, now);
  if (page === "overview" || page === "workers") workers(state, now);
  const { running: busy, pending } = state.totals;
  document.title = busy || pending ? `${count(busy)} running · ${count(pending)} pending – ffmpeg-easy` : "ffmpeg-easy";
}

/** However much comes in, the page is drawn once a frame. */
function redraw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => whenStill(draw));
}

/** Asks who is looking until there is an answer: the monitor may be starting anew. */
async function entered() {
  for (;;) {
    try {
      return await enter();
    } catch {
      link = "lost";
      redraw();
      await new Promise((done) => setTimeout(done, AGAIN));
    }
  }
}

await entered();
addEventListener("locked", entered);
route({
  overview: () => (redraw(), trend()),
  jobs,
  job,
  new: fresh,
  workers: (here) => (redraw(), workersPage(here)),
  batches,
  history,
  broker,
  settings: settingsPage,
});
follow("/api/v1/live", {
  whole(sections) {
    whole(sections);
    redraw();
  },
  change(sections) {
    change(sections);
    redraw();
  },
  clock(at) {
    offset = at - Date.now();
  },
  link(isUp) {
    link = isUp ? "live" : "lost";
    redraw();
    // The server may have begun anew, and know nobody any more.
    if (isUp) dispatchEvent(new Event("connected"));
    else enter().catch(() => {});
  },
});

// Ages grow although nothing comes in.
setInterval(() => document.hidden || redraw(), 1000);
