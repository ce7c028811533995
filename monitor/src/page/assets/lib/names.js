// @ts-check
// What tells the long names of a list apart.

/**
 * How many characters two names begin with alike.
 * @param {string} a
 * @param {string} b
 */
function sharedLength(a, b) {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}

/**
 * Where each of the names begins to differ from the name that is most like it, by the name.
 * @param {string[]} names
 * @returns {Map<string, number>}
 */
export function differences(names) {
  const sorted = [...new Set(names)].sort();
  // In order, the name that begins most alike is a neighbour.
  const shared = sorted.slice(1).map((name, at) => sharedLength(sorted[at] ?? "", name));
  return new Map(sorted.map((name, at) => [name, Math.max(shared[at - 1] ?? 0, shared[at] ?? 0)]));
}

/** The end of a name stays in sight: it says what kind of file it is. */
const TAIL = 12;
/** So do this many characters from where it differs. */
const KEY = 14;
/** A difference before this is seen anyway. */
const SEEN = 16;
/** As far back a word may begin: a number is read from its first digit. */
const BACK = 6;

/**
 * A name in four parts: `[stem, key, rest, tail]`, of which key and tail are to be kept in sight. `differs` is where it
 * differs from others.
 * @param {string} text
 * @param {number} differs
 * @returns {[string, string, string, string]}
 */
export function splitName(text, differs = 0) {
  /**
   * Only plain letters are safe to cut anywhere.
   * @param {number} from
   * @param {number} to
   */
  const isPlain = (from, to) => /^[ -~]*$/.test(text.slice(Math.max(0, from - 1), to + 1));
  const end = text.length - TAIL;
  const tail = text.length > 2 * TAIL && isPlain(end, text.length) ? end : text.length;
  let from = differs;
  while (from > 0 && differs - from < BACK && /[A-Za-z0-9]/.test(text.charAt(from - 1))) from -= 1;
  const to = Math.min(from + KEY, tail);
  if (differs < SEEN || from >= tail || !isPlain(from, to)) return [text.slice(0, tail), "", "", text.slice(tail)];
  return [text.slice(0, from), text.slice(from, to), text.slice(to, tail), text.slice(tail)];
}
