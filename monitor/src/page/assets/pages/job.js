// All about one job.

import { get } from "../api.js";
import { changeList } from "../changes.js";
import { h, say, set } from "../dom.js";
import { count, duration, fps, percent, printable, speed, time, told } from "../format.js";
import { watch } from "../state.js";
import { whenStill } from "../still.js";
import { cancel, chooseWorker, reprioritise, retry, sendHome } from "../steer.js";
import { sides } from "./sides.js";

const page = document.querySelector('[data-page="job"]');
const title = page.querySelector("h2");
const status = page.querySelector(".status");
const reason = page.querySelector(".why");
const facts = page.querySelector(".about");
const timeline = page.querySelector(".timeline");
const showSides = sides(page.querySelector(".sides"));
const kept = page.querySelector(".kept");
const log = page.querySelector(".failure");
const recipe = page.querySelector(".recipe");
const command = page.querySelector(".command");
const follow = page.querySelector(".follow");
const progress = page.querySelector("progress");
const buttons = page.querySelector(".actions");
const problem = page.querySelector(".problem");

/** What happened, in words: `[what, more]`; `priority` says from which to which it went. */
const WORDS = {
  queued: () => ["Enqueued", ""],
  claimed: (worker) => [`Taken by ${worker}`, ""],
  progress: (progress) => ["Encoding", [`${count(progress.frame)} frames`, progress.fps ? fps(progress.fps) : ""].filter(Boolean).join(", ")],
  returned: (worker) => [`Given back by ${worker}`, "unharmed: the worker was told to stop"],
  moved: (queue, priority) => [`Moved to ${queue}`, priority ? `priority ${priority}, by a person` : "by a person"],
  requeued: (_, priority) => (priority ? [`Priority ${priority}`, "by a person"] : ["Put back in the queue", "by a person"]),
  retried: (failure) => ["Attempt failed", told(failure.message)],
  completed: (report) => ["Completed", `by ${report.worker} in ${duration(report.total_seconds)}`],
  failed: (failure) => ["Failed for good", told(failure.message)],
  cancelled: () => ["Cancelled", "by a person"],
};

/** An event; `before` is the priority that the job had until then. */
function happening({ what, attempt, at, priority }, before) {
  const [kind, content] = typeof what === "string" ? [what, null] : Object.entries(what)[0];
  const change = priority && before && priority !== before ? `${before} → ${priority}` : null;
  const [words, more] = (WORDS[kind] ?? (() => [kind, ""]))(content, change);
  return h(
    "li",
    { "data-kind": kind },
    h("time", { datetime: at }, time(at, Date.now())),
    h("span", { class: "words" }, words),
    h("span", { class: "soft" }, [more, attempt > 1 ? `attempt ${attempt}` : ""].filter(Boolean).join(" · ")),
  );
}

function fact(name, value) {
  return value === null || value === "" ? [] : [h("div", {}, h("dt", {}, name), h("dd", {}, value))];
}

let listed = "";

/** Drawn anew only where it differs: what is open stays open. */
function showChanges(changes) {
  const now = JSON.stringify(changes);
  if (now === listed) return;
  listed = now;
  kept.hidden = changes.length === 0;
  kept.querySelector("div").replaceChildren(...changeList(changes));
}

let shown = null;

/** All that happened, the earliest first. */
function happenings(events) {
  let priority = null;
  return events.filter(({ what }) => !what.command).map((event) => {
    const element = happening(event, priority);
    priority = event.priority ?? priority;
    return element;
  });
}

function draw({ name, record, why, events, home }) {
  const run = record.run ?? record.parked ?? null;
  const pending = record.pending ?? null;
  const { job, queue, priority } = run ?? pending;
  const [phase, content] = run ? (typeof run.state === "string" ? [run.state, null] : Object.entries(run.state)[0]) : ["pending", null];
  const word = record.parked ? "paused" : phase === "queued" ? "pending" : phase;
  shown = { id: job.id, priority, phase: word };
  say(title, printable(name.name));
  say(status, word);
  say(reason, told(why));
  set(status, "data-state", word);
  facts.replaceChildren(
    ...fact("Queue", queue),
    ...fact("Priority", String(priority)),
    ...fact("Worker", content?.worker ?? content?.report?.worker ?? null),
    ...fact("Attempts", run ? `${run.attempt - run.returned} of ${job.attempts}` : `none of ${job.attempts}`),
    ...fact("Enqueued", time(job.enqueued, Date.now())),
    ...fact("Next attempt", content?.until ? time(content.until, Date.now()) : null),
    ...fact("Batch", job.batch),
    ...fact("Id", job.id),
  );
  const report = content?.report;
  showSides(job, report);
  showChanges(report?.changes ?? []);
  timeline.replaceChildren(...happenings(events));
  const started = events.findLast(({ what }) => what.command);
  command.parentElement.hidden = !started;
  if (started) say(command, printable(started.what.command));
  const failure = content?.failure ?? run?.failures?.at(-1)?.failure;
  log.hidden = !failure;
  if (failure) {
    say(log.querySelector(".reason"), told(failure.message));
    say(log.querySelector("pre"), (failure.log ?? []).map(printable).join("\n"));
    log.querySelector("pre").hidden = !failure.log?.length;
  }
  say(recipe, JSON.stringify(job.recipe, null, 2));
  const isOver = ["completed", "failed", "cancelled"].includes(word);
  const can = { cancel: !isOver, retry: word === "failed" || word === "cancelled", prioritise: !isOver && word !== "running", assign: !isOver, home: !isOver && home !== null };
  // Each keeps its place: who aims at one must not meet another as the job goes on.
  for (const button of buttons.querySelectorAll("button")) button.disabled = !can[button.dataset.verb];
}

const VERBS = {
  cancel,
  retry,
  prioritise: (jobs) => reprioritise(jobs, shown.priority),
  assign: chooseWorker,
  home: sendHome,
};

let ask = async () => {};

buttons.addEventListener("click", async (event) => {
  const verb = event.target.closest("button")?.dataset.verb;
  if (!verb || !shown) return;
  await VERBS[verb]([shown.id]);
  ask();
});

/** Lines of the log that are kept in sight. */
const LINES = 500;

/** Follows the log while a worker is at the job; returns how to stop that. */
function listen(id) {
  const source = new EventSource(`/api/v1/jobs/${encodeURIComponent(id)}/log`);
  source.addEventListener("line", (event) => {
    const isAtEnd = follow.scrollTop + follow.clientHeight >= follow.scrollHeight - 4;
    follow.parentElement.hidden = false;
    follow.append(h("span", {}, `${printable(JSON.parse(event.data))}\n`));
    while (follow.children.length > LINES) follow.firstChild.remove();
    if (isAtEnd) follow.scrollTop = follow.scrollHeight;
  });
  return () => source.close();
}

/** The page of the job that the address names. */
export function job({ path: [, id] }) {
  shown = null;
  let timer = 0;
  ask = async () => {
    try {
      const answer = await get(`jobs/${encodeURIComponent(id)}`);
      whenStill(() => {
        problem.hidden = true;
        page.removeAttribute("data-unknown");
        draw(answer);
      });
    } catch (refusal) {
      whenStill(() => {
        problem.hidden = false;
        say(problem, refusal.message);
        // Of what there is not, there is nothing to be shown or done.
        page.toggleAttribute("data-unknown", shown === null);
      });
    }
  };
  page.setAttribute("data-unknown", "");
  ask();
  follow.replaceChildren();
  follow.parentElement.hidden = true;
  let deaf = null;
  let seen = null;
  const stop = watch((state) => {
    const live = state.running.find((one) => one.job.id === id);
    progress.parentElement.hidden = !live;
    if (live) deaf ??= listen(id);
    else deaf = (deaf?.(), null);
    if (live) {
      set(progress, "value", live.fraction);
      set(progress, "aria-label", live.stage);
      const left = live.eta === null ? "" : `about ${duration(live.eta)} left`;
      const pace = live.fps ? `${fps(live.fps)} · ${speed(live.speed)}` : "";
      say(progress.nextElementSibling, [live.stage, live.fraction === null ? "" : percent(live.fraction), pace, left].filter(Boolean).join(" · "));
    }
    if (state.listing.revision !== seen) timer ||= setTimeout(() => ((timer = 0), ask()), 500);
    seen = state.listing.revision;
  });
  return () => {
    stop();
    clearTimeout(timer);
    deaf?.();
    ask = async () => {};
  };
}
