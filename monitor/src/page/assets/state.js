// The live state, for all who draw from it.

import { whenStill } from "./still.js";

const followers = new Set();

/** The latest state; `null` until it has come. */
export let state = null;

export function whole(sections) {
  state = sections;
  whenStill(tell);
}

export function change(sections) {
  state = { ...state, ...sections };
  whenStill(tell);
}

function tell() {
  for (const follower of followers) follower(state);
}

/** Calls `follower` with every new state; returns how to stop that. */
export function watch(follower) {
  followers.add(follower);
  if (state) follower(state);
  return () => followers.delete(follower);
}
