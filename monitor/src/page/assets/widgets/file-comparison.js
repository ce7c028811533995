// @ts-check
// A job's input and output side by side: facts, and pictures of both at the same instants.

/** @import { Content, Deps, Job, Report, Track } from "#types" */

import { requestAddress } from "../lib/api.js";
import { factRows, h } from "../lib/dom.js";
import { bitrate, bytes, change, clock, count, duration, fps, plural, printable, readableLocation, speed } from "../lib/format.js";
import { createLoader } from "../lib/retry.js";

/** Where the pictures are taken, as shares of the length. */
const INSTANTS = [0.1, 0.5, 0.9];

const CHANNELS = new Map([[1, "mono"], [2, "stereo"], [6, "5.1"], [8, "7.1"]]);

/** @param {string} codec */
const named = (codec) => codec || "unknown";

/** @param {NonNullable<Track["video"]>} track */
const videoWords = ({ codec, width, height, fps: rate, depth }) =>
  [named(codec), `${width}×${height}`, rate ? `${Number(rate.toFixed(3))} fps` : "", `${depth} bit`].filter(Boolean).join(", ");

/** @param {NonNullable<Track["audio"]>} track */
const audioWords = ({ codec, channels, language }) =>
  [named(codec), CHANNELS.get(channels) ?? plural(channels, "channel"), language].filter(Boolean).join(" ");

/** @param {NonNullable<Track["subtitles"]>} track */
const subtitleWords = ({ codec, language }) => [named(codec), language].filter(Boolean).join(" ");

/** @typedef {[string, string | null | undefined][]} Facts */

/**
 * What a file holds.
 * @param {Content | null | undefined} content
 * @param {number} size
 * @returns {Facts}
 */
function contentFacts(content, size) {
  if (!content) return [];
  const { media, why } = content;
  if (!media) return [["Contents", printable(`not known: ${why}`)]];
  return [
    ["Format", media.format],
    ["Length", media.duration ? duration(media.duration) : null],
    ["Bitrate", media.duration && size ? bitrate((8 * size) / media.duration) : null],
    ["Video", media.tracks.flatMap(({ video }) => (video ? [videoWords(video)] : [])).join("; ")],
    ["Audio", media.tracks.flatMap(({ audio }) => (audio ? [audioWords(audio)] : [])).join("; ")],
    ["Subtitles", media.tracks.flatMap(({ subtitles }) => (subtitles ? [subtitleWords(subtitles)] : [])).join("; ")],
  ];
}

/**
 * What a completed job's report says of its output.
 * @param {Report} report
 * @param {Content | null | undefined} content
 * @returns {Facts}
 */
function reportFacts(report, content) {
  const { encode_seconds: seconds, sidecars = [] } = report;
  const behind = sidecars.flatMap(({ end, left }) => (left ? [`sidecar ${end} left behind: ${left}`] : []));
  return [
    ["Size", `${bytes(report.output_size)} (${change(report.input_size, report.output_size)})`],
    ...contentFacts(content, report.output_size),
    ["Encoder", report.encoder ?? "copied"],
    ["Frames", count(report.frames)],
    ["Encoding speed", seconds ? `${fps(report.frames / seconds)}, ${speed(report.duration / seconds)}` : null],
    ["Sidecars", printable(sidecars.flatMap(({ end, left }) => (left ? [] : [end])).join(", "))],
    ["Notes", printable([...(report.warnings ?? []), ...behind].join("; "))],
  ];
}

/** Waits in milliseconds before a picture is asked for again: a busy worker may have had no time for it. */
const WAITS = [2000, 5000, 15000];

/**
 * A picture; one that cannot be had says so.
 * @param {string} job
 * @param {"input" | "output"} side
 * @param {number} at
 */
function still(job, side, at) {
  const source = requestAddress("/jobs/{job}/still", { job, side, at });
  const picture = h("img", { src: source, alt: `The ${side} at ${clock(at)}`, decoding: "async" });
  const waits = [...WAITS];
  picture.addEventListener("error", () => {
    const wait = waits.shift();
    if (wait === undefined) picture.replaceWith(h("p", { class: "soft" }, "No picture"));
    else setTimeout(() => picture.isConnected && (picture.src = source), wait);
  });
  return h("figure", {}, picture, h("figcaption", {}, clock(at)));
}

/** @param {Content | null | undefined} content */
const hasVideo = (content) => content?.media?.tracks.some((track) => track.video) === true;

/** @param {Job} job */
const isEncode = ({ kind }) => !kind || kind === "encode";

/** @param {Deps} deps */
export function fileComparison({ api }) {
  const element = h("div", { class: "sides" });
  let shown = "";
  /** @type {{ stop: () => void } | null} */
  let loading = null;

  /**
   * @param {string} name
   * @param {Facts} facts
   * @param {Node[]} stills
   */
  const half = (name, facts, stills) =>
    h("div", { class: "side" }, h("h3", {}, name), h("dl", {}, ...factRows(facts)), h("div", { class: "stills" }, ...stills));

  /**
   * @param {Job} job
   * @param {Report | undefined} report
   * @param {{ input: Content, output?: Content | null } | null} media
   */
  function draw(job, report, media) {
    const lengths = [media?.input, media?.output].flatMap((content) => content?.media?.duration ?? []);
    const instants = lengths.length ? INSTANTS.map((share) => Number((share * Math.min(...lengths)).toFixed(3))) : [];
    /** @param {"input" | "output"} side */
    const stills = (side) => (hasVideo(media?.[side]) ? instants.map((at) => still(job.id, side, at)) : []);
    /** @type {Facts} */
    const input = [["Location", readableLocation(job.input.location)], ["Size", bytes(job.input.size)], ...contentFacts(media?.input, job.input.size)];
    /** @type {Facts} */
    const output = [["Location", readableLocation(job.output)], ...(report ? reportFacts(report, media?.output) : [])];
    const sides = [half("Input", input, stills("input"))];
    // A check makes nothing.
    if (!report?.health && isEncode(job)) sides.push(half("Output", output, stills("output")));
    element.replaceChildren(...sides);
  }

  return {
    element,
    /**
     * @param {Job} job
     * @param {Report | undefined} report
     */
    update(job, report) {
      // The same job in the same state has the same files: pictures are not fetched anew.
      const now = JSON.stringify([job.id, report ?? null]);
      if (now === shown) return;
      shown = now;
      draw(job, report, null);
      loading?.stop();
      const loader = createLoader(
        () => api.get("/jobs/{job}/media", { job: job.id }),
        (media) => draw(job, report, media),
      );
      loading = loader;
      loader.load();
    },
    unmount: () => loading?.stop(),
  };
}
