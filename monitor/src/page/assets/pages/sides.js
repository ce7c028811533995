// A job's input and its output side by side: facts, and pictures of both at
// the same instants.

import { get } from "../api.js";
import { h } from "../dom.js";
import { bitrate, bytes, change, clock, count, duration, fps, place, plural, printable, speed } from "../format.js";

/** Where the pictures are taken, as shares of the length. */
const INSTANTS = [0.1, 0.5, 0.9];

const CHANNELS = { 1: "mono", 2: "stereo", 6: "5.1", 8: "7.1" };

const named = (codec) => codec || "unknown";

/** Each kind of track in words. */
const TRACKS = {
  video: ({ codec, width, height, fps: rate, depth }) =>
    [named(codec), `${width}×${height}`, rate ? `${Number(rate.toFixed(3))} fps` : "", `${depth} bit`].filter(Boolean).join(", "),
  audio: ({ codec, channels, language }) => [named(codec), CHANNELS[channels] ?? plural(channels, "channel"), language].filter(Boolean).join(" "),
  subtitles: ({ codec, language }) => [named(codec), language].filter(Boolean).join(" "),
};

/** What a file holds, as rows `[label, value]`. */
function holds(content, size) {
  if (!content) return [];
  const { media, why } = content;
  if (!media) return [["Contents", printable(`not known: ${why}`)]];
  const of = (kind) => media.tracks.filter((track) => track[kind]).map((track) => TRACKS[kind](track[kind]));
  return [
    ["Format", media.format],
    ["Length", media.duration ? duration(media.duration) : null],
    ["Bitrate", media.duration && size ? bitrate((8 * size) / media.duration) : null],
    ["Video", of("video").join("; ")],
    ["Audio", of("audio").join("; ")],
    ["Subtitles", of("subtitles").join("; ")],
  ];
}

function fact([name, value]) {
  return value === null || value === "" ? [] : [h("div", {}, h("dt", {}, name), h("dd", {}, value))];
}

/** A picture; what cannot be had says so. */
function still(id, side, at) {
  const source = `/api/v1/jobs/${encodeURIComponent(id)}/still?side=${side}&at=${at}`;
  const picture = h("img", { src: source, alt: `The ${side} at ${clock(at)}`, decoding: "async" });
  const figure = h("figure", {}, picture, h("figcaption", {}, clock(at)));
  picture.addEventListener("error", () => picture.replaceWith(h("p", { class: "soft" }, "no picture")));
  return figure;
}

function section(name, rows, stills) {
  return h("div", { class: "side" }, h("h3", {}, name), h("dl", {}, ...rows.flatMap(fact)), h("div", { class: "stills" }, ...stills));
}

/** Draws both into `element`; gives a function that shows a job there. */
export function sides(element) {
  let shown = "";
  let seen = null;
  let last = null;

  function draw() {
    const { job, report } = last;
    const lengths = [seen?.input, seen?.output].map((content) => content?.media?.duration).filter(Boolean);
    const hasFilm = (content) => content?.media?.tracks.some((track) => track.video);
    const instants = lengths.length ? INSTANTS.map((share) => Number((share * Math.min(...lengths)).toFixed(3))) : [];
    const stills = (side) => (hasFilm(seen?.[side]) ? instants.map((at) => still(job.id, side, at)) : []);
    const input = [["Location", place(job.input.location)], ["Size", bytes(job.input.size)], ...holds(seen?.input, job.input.size)];
    const output = [["Location", place(job.output)]];
    if (report) {
      output.push(
        ["Size", `${bytes(report.output_size)} (${change(report.input_size, report.output_size)})`],
        ...holds(seen?.output, report.output_size),
        ["Encoder", report.encoder ?? "copied"],
        ["Frames", count(report.frames)],
        ["Pace", report.encode_seconds ? `${fps(report.frames / report.encode_seconds)}, ${speed(report.duration / report.encode_seconds)}` : null],
        ["Notes", report.warnings?.length ? printable(report.warnings.join("; ")) : null],
      );
    }
    element.replaceChildren(section("Input", input, stills("input")), section("Output", output, stills("output")));
  }

  return async (job, report) => {
    // The same job in the same state has the same files: pictures are not fetched anew.
    const now = JSON.stringify([job.id, report ?? null]);
    if (now === shown) return;
    shown = now;
    seen = null;
    last = { job, report };
    draw();
    const answer = await get(`jobs/${encodeURIComponent(job.id)}/media`).catch(() => null);
    if (now !== shown || !answer) return;
    seen = answer;
    draw();
  };
}
