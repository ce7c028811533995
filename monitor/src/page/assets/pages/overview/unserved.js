// @ts-check
// Why no worker takes the jobs of a queue.

export const UNSERVED = {
  paused: "paused",
  quarantined: "workers quarantined",
  drained: "workers drained",
  off_hours: "workers off hours",
  lost: "workers not responding",
  not_there: "its worker is not there",
  no_workers: "no worker alive",
  not_proved: "no worker proved it",
};
