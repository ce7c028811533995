// @ts-check
// Notifications of the browser, while the page is open: a job failed, a worker is lost, nothing is left to do.

/** @import { State } from "#types" */
/** @import { LiveState } from "../lib/state.js" */

import { printable } from "../lib/format.js";

/** Where the browser keeps that they are on. */
const KEY = "notifications";
/** Notifications that one change of the state shows at most. */
const MOST = 3;

/**
 * What a state tells that the one before did not.
 * @param {State} before
 * @param {State} now
 * @returns {{ title: string, body: string }[]}
 */
export function news(before, now) {
  // After an outage, states are read anew: old ends are no news.
  if (!before.broker.connected || !now.broker.connected) return [];
  const known = new Set(before.recent.map(({ job, ended }) => `${job.id} ${ended}`));
  const last = before.recent[0]?.ended ?? "";
  const failed = now.recent
    .filter(({ job, ended, ending }) => ending.state === "failed" && !known.has(`${job.id} ${ended}`) && ended > last)
    .map(({ job, ending }) => ({ title: `Failed: ${job.name}`, body: "reason" in ending ? ending.reason : "" }));
  const alive = new Set(before.workers.filter(({ status }) => status !== "lost").map(({ name }) => name));
  const lost = now.workers
    .filter(({ name, status }) => status === "lost" && alive.has(name))
    .map(({ name }) => ({ title: `Worker lost: ${name}`, body: "It had not signed off." }));
  /** @param {State} state */
  const left = ({ totals, retrying }) => totals.running + totals.pending + retrying.length;
  const done = left(before) > 0 && left(now) === 0 ? [{ title: "Done", body: "No job is left to do." }] : [];
  return [...failed.slice(0, MOST), ...lost.slice(0, MOST), ...done];
}

/** @param {LiveState} state */
export function createBrowserNotifications(state) {
  /** @type {State | null} */
  let before = null;

  const isPossible = () => "Notification" in window && window.isSecureContext;
  const isOn = () => isPossible() && Notification.permission === "granted" && localStorage.getItem(KEY) === "on";

  state.watch((now) => {
    if (before && isOn()) {
      for (const { title, body } of news(before, now)) {
        new Notification(printable(title), { body: printable(body), icon: "/icon.svg" });
      }
    }
    before = now;
  });

  return {
    isPossible,
    isOn,
    /** Whether the person has told the browser never to show any. */
    isDenied: () => isPossible() && Notification.permission === "denied",
    /** Asks the browser; only ever called by a click. */
    async turnOn() {
      const permission = await Notification.requestPermission();
      if (permission === "granted") localStorage.setItem(KEY, "on");
    },
    turnOff: () => localStorage.removeItem(KEY),
  };
}

/** @typedef {ReturnType<typeof createBrowserNotifications>} BrowserNotifications */
