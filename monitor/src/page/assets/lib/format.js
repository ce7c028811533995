// @ts-check
// Numbers, sizes, times and names as people read them.

const whole = new Intl.NumberFormat("en");

/** @param {number} number */
export const count = (number) => whole.format(number);

/**
 * `1 job`, `2 jobs`.
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/**
 * Three significant digits or so: 4.13, 41.3, 413.
 * @param {number} number
 */
function short(number) {
  if (Math.abs(number) < 1) return String(Number(number.toPrecision(2)));
  const digits = number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return String(Number(number.toFixed(digits)));
}

/**
 * @param {number} number
 * @param {string[]} units
 */
function scaled(number, units) {
  let value = Math.abs(number);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${number < 0 ? "−" : ""}${unit === 0 ? Math.round(value) : short(value)} ${units[unit]}`;
}

/** @param {number} number */
export const bytes = (number) => scaled(number, ["B", "kB", "MB", "GB", "TB", "PB"]);

/** @param {number} number */
export const bitrate = (number) => scaled(number, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);

/** @param {number} number */
export const fps = (number) => `${number >= 10 ? count(Math.round(number)) : short(number)} fps`;

/** @param {number} number */
export const speed = (number) => `${short(number)}×`;

/** @param {number} share */
export const percent = (share) => `${Math.floor(share * 100)}%`;

/**
 * By how much something shrank or grew.
 * @param {number} before
 * @param {number} after
 */
export function change(before, after) {
  if (!before) return "";
  const share = Math.round((after / before - 1) * 100);
  return share > 0 ? `+${count(share)}%` : share < 0 ? `−${-share}%` : "±0%";
}

/**
 * Seconds as `8 s`, `4 min 20 s`, `1 h 05 min`, `3 d 4 h`.
 * @param {number} seconds
 */
export function duration(seconds) {
  const total = Math.max(0, Math.round(seconds));
  const days = Math.floor(total / 86400);
  const hours = Math.floor(total / 3600) % 24;
  const minutes = Math.floor(total / 60) % 60;
  const rest = total % 60;
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  if (hours) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  if (minutes) return minutes < 10 && rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  return `${rest} s`;
}

/**
 * By how much a clock is wrong: `3 min ahead of`.
 * @param {number} seconds
 */
export const clockOff = (seconds) => `${duration(Math.abs(seconds))} ${seconds > 0 ? "ahead of" : "behind"}`;

/**
 * Seconds as a player counts them: `0:08`, `4:20`, `1:05:00`.
 * @param {number} seconds
 */
export function clock(seconds) {
  const total = Math.floor(seconds);
  const parts = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const [first, ...rest] = parts[0] ? parts : parts.slice(1);
  return [first, ...rest.map((part) => String(part).padStart(2, "0"))].join(":");
}

/**
 * How long ago in one unit, for what need not be exact.
 * @param {string} moment
 * @param {number} now
 */
export function age(moment, now) {
  const seconds = Math.max(0, Math.floor((now - Date.parse(moment)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/**
 * @param {string} moment
 * @param {number} now
 */
export const ago = (moment, now) => (now - Date.parse(moment) < 5000 ? "just now" : `${age(moment, now)} ago`);

/**
 * The time of day, with the date where that is another: how the page writes every point in time.
 * @param {string} moment
 * @param {number} now
 */
export function time(moment, now) {
  const at = new Date(moment);
  const isToday = at.toDateString() === new Date(now).toDateString();
  return at.toLocaleString([], isToday ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "medium" });
}

/**
 * With a capital letter, unless it begins with a name such as `hevc_nvenc`.
 * @param {string} text
 */
export const capitalised = (text) => (/^[a-z]+(?![\w.])/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text);

/**
 * Words of a program as a sentence: with a capital letter and a full stop.
 * @param {string} text
 */
export function sentence(text) {
  const words = text.trim();
  const end = /[.!?…]$/.test(words) ? "" : ".";
  return words && capitalised(words) + end;
}

/**
 * A job's state as people read it: the API's `waiting` is a retry.
 * @param {string} state
 */
export const stateName = (state) => (state === "waiting" ? "retrying" : state);

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/**
 * Makes what would be invisible, or turn the line around, visible.
 * @param {string} text
 */
export function printable(text) {
  return text.replace(CONTROLS, (c) => {
    const code = c.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

const MOMENTS = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/**
 * A sentence of the farm: printable, with its points in time as the page writes all others.
 * @param {string} text
 */
export function localTimes(text) {
  const now = Date.now();
  return printable(text).replace(MOMENTS, (moment) => time(moment, now));
}

/**
 * Where a file is, as people read it: a path, or `s3://bucket/key`.
 * @param {string} location
 */
export function readableLocation(location) {
  const [, scheme, encoded = ""] = location.match(/^(\w+):\/\/(.*)$/s) ?? [null, "file", location];
  let name = encoded;
  try {
    name = decodeURIComponent(encoded);
  } catch {
    // It is no encoding, and is shown as it is.
  }
  return printable(scheme === "file" ? name : `${scheme}://${name}`);
}
