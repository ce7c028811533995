// @ts-check
// Wires the page: who is looking, the live state, and a page for each address.

/** @import { Deps } from "#types" */
/** @import { Link } from "./widgets/connection.js" */

import { createApi } from "./lib/api.js";
import { createClock } from "./lib/clock.js";
import { count } from "./lib/format.js";
import { createLastDay } from "./lib/last-day.js";
import { backoff } from "./lib/retry.js";
import { startRouter } from "./lib/router.js";
import { createSession } from "./lib/session.js";
import { createState } from "./lib/state.js";
import { createWhenStill } from "./lib/still.js";
import { follow } from "./lib/stream.js";
import { createBrowserNotifications } from "./notifications/browser.js";
import * as batches from "./pages/batches/page.js";
import * as broker from "./pages/broker/page.js";
import * as history from "./pages/history/page.js";
import * as job from "./pages/job/page.js";
import * as jobs from "./pages/jobs/page.js";
import * as libraries from "./pages/libraries/page.js";
import * as newJob from "./pages/new/page.js";
import * as overview from "./pages/overview/page.js";
import * as samples from "./pages/samples/page.js";
import * as settings from "./pages/settings/page.js";
import * as workers from "./pages/workers/page.js";
import { createConnection } from "./widgets/connection.js";
import { createNotes } from "./widgets/notes.js";

const PAGES = {
  overview: overview.mount,
  jobs: jobs.mount,
  job: job.mount,
  new: newJob.mount,
  samples: samples.mount,
  workers: workers.mount,
  batches: batches.mount,
  libraries: libraries.mount,
  history: history.mount,
  broker: broker.mount,
  settings: settings.mount,
};

/**
 * An element of the frame, index.html.
 * @param {string} id
 */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

async function start() {
  const whenStill = createWhenStill();
  const state = createState(whenStill);
  const clock = createClock(state, whenStill);
  const connection = createConnection(part("connection"), part("notice"));
  const api = createApi(() => enter());
  const session = createSession(api, /** @type {HTMLButtonElement} */ (part("logout")));
  /** @type {Link} */
  let link = "connecting";

  function drawFrame() {
    connection.update(state.current, link, clock.now());
    if (!state.current) return;
    const { running, pending } = state.current.totals;
    document.title = running || pending ? `${count(running)} running · ${count(pending)} pending – ffmpeg-easy` : "ffmpeg-easy";
  }

  /** @param {Link} now */
  function setLink(now) {
    link = now;
    drawFrame();
  }

  /** Asks who is looking until there is an answer: the monitor may be starting anew. */
  async function enter() {
    const waits = backoff();
    for (;;) {
      try {
        return await session.enter();
      } catch {
        setLink("lost");
        await new Promise((done) => setTimeout(done, waits.next()));
      }
    }
  }

  await enter();
  const notifications = createBrowserNotifications(state);
  /** @type {Deps} */
  const deps = { api, clock, state, lastDay: createLastDay(api), notes: createNotes(part("notes")), notifications, session, whenStill, memory: new Map() };
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".sections a"));
  startRouter(part("main"), links, PAGES, deps);
  clock.draw(drawFrame);
  follow("/api/v1/live", {
    state: state.replace,
    change: state.update,
    clock: clock.set,
    stays: notifications.isOn,
    link(isUp) {
      setLink(isUp ? "live" : "lost");
      // The server may have begun anew, and know nobody any more: a refusal asks for the password again.
      if (!isUp) session.enter().catch(() => {});
    },
  });
}

start();
