// Numbers, sizes and times as people read them.

const whole = new Intl.NumberFormat("en");

export const count = (number) => whole.format(number);

/** `1 job`, `2 jobs`. */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** Three significant digits or so: 4.13, 41.3, 413. */
function short(number) {
  if (Math.abs(number) < 1) return String(Number(number.toPrecision(2)));
  const digits = number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return String(Number(number.toFixed(digits)));
}

function scaled(number, units) {
  let value = Math.abs(number);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${number < 0 ? "−" : ""}${unit === 0 ? Math.round(value) : short(value)} ${units[unit]}`;
}

export const bytes = (number) => scaled(number, ["B", "kB", "MB", "GB", "TB", "PB"]);

export const bitrate = (number) => scaled(number, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);

export const fps = (number) => `${number >= 10 ? count(Math.round(number)) : short(number)} fps`;

export const speed = (number) => `${short(number)}×`;

/** By how much a clock is wrong: `3 min ahead of`. */
export const clockOff = (seconds) => `${duration(Math.abs(seconds))} ${seconds > 0 ? "ahead of" : "behind"}`;

export const percent = (share) => `${Math.floor(share * 100)}%`;

/** By how much something shrank or grew. */
export function change(before, after) {
  if (!before) return "";
  const share = Math.round((after / before - 1) * 100);
  return share > 0 ? `+${count(share)}%` : share < 0 ? `−${-share}%` : "±0%";
}

/** Seconds as `8 s`, `4 min 20 s`, `1 h 05 min`, `3 d 4 h`. */
export function duration(seconds) {
  const total = Math.max(0, Math.round(seconds));
  const [d, hours, min, s] = [
    Math.floor(total / 86400),
    Math.floor(total / 3600) % 24,
    Math.floor(total / 60) % 60,
    total % 60,
  ];
  if (d) return hours ? `${d} d ${hours} h` : `${d} d`;
  if (hours) return `${hours} h ${String(min).padStart(2, "0")} min`;
  if (min) return min < 10 && s ? `${min} min ${s} s` : `${min} min`;
  return `${s} s`;
}

/** Seconds as a player counts them: `0:08`, `4:20`, `1:05:00`. */
export function clock(seconds) {
  const total = Math.floor(seconds);
  const parts = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const [first, ...rest] = parts[0] ? parts : parts.slice(1);
  return [first, ...rest.map((part) => String(part).padStart(2, "0"))].join(":");
}

/** How long ago in one unit, for what need not be exact. */
export function age(moment, now) {
  const seconds = Math.max(0, Math.floor((now - Date.parse(moment)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

export function ago(moment, now) {
  return now - Date.parse(moment) < 5000 ? "just now" : `${age(moment, now)} ago`;
}

/** The time of day, with the date where that is another: how the page writes every point in time. */
export function time(moment, now) {
  const at = new Date(moment);
  const isToday = at.toDateString() === new Date(now).toDateString();
  return at.toLocaleString([], isToday ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "medium" });
}

/** Words of a program as a sentence: with a capital letter and a full stop. */
export function sentence(text) {
  const words = text.trim();
  const end = /[.!?…]$/.test(words) ? "" : ".";
  return words && words[0].toUpperCase() + words.slice(1) + end;
}

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Makes what would be invisible, or turn the line around, visible. */
export function printable(text) {
  return text.replace(CONTROLS, (c) => {
    const code = c.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

const MOMENTS = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** A sentence of the farm: printable, with its points in time as the page writes all others. */
export const told = (text, now = Date.now()) => printable(text).replace(MOMENTS, (moment) => time(moment, now));

/** Where a file is, as people read it: a path, or `s3://bucket/key`. */
export function place(location) {
  const [, scheme, encoded] = location.match(/^(\w+):\/\/(.*)$/s) ?? [null, "file", location];
  let name = encoded;
  try {
    name = decodeURIComponent(encoded);
  } catch {
    // It is no encoding, and is shown as it is.
  }
  return printable(scheme === "file" ? name : `${scheme}://${name}`);
}
