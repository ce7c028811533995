// A recipe as a form: the same for new jobs and for presets.

import { get } from "./api.js";
import { field } from "./dialog.js";
import { h, say, set } from "./dom.js";
import { losses } from "./losses.js";
import { note } from "./notes.js";
import { state, watch } from "./state.js";

let asked = null;
/** The words that recipes are made of, asked for once. */
function vocabulary() {
  asked ??= get("vocabulary").catch((refusal) => {
    asked = null;
    note(refusal.message, "bad");
    return { codecs: [], encoders: [], audio: [], containers: [], filters: [], arguments: [], losses: [] };
  });
  return asked;
}

/** Fields by the part of a recipe that they hold, where that has another name. */
const HOLDS = { amount: "rate", bitrate: "audio" };
const ENCODING = ["rate", "amount", "preset", "bit_depth", "hdr", "chroma", "scale", "scale_up", "filters", "arguments"];
let forms = 0;

const option = (value, words = value) => h("option", { value }, words);
const text = (name, placeholder = "") => h("input", { name, placeholder, autocomplete: "off", spellcheck: "false" });
const choice = (name, ...options) => h("select", { name }, ...options.map(([value, words]) => option(value, words)));

function group(label, options) {
  return options.length ? [h("optgroup", { label }, ...options.map(([value, words]) => option(value, words)))] : [];
}

/** Every encoder and codec, those first that a live worker has proved. */
function encoders({ codecs, encoders }) {
  const proved = Object.values(state?.cards ?? {}).flatMap((card) => card.encoders);
  const makes = new Map([...encoders, ...proved].map((row) => [row.name, row.codec]));
  const live = new Set(proved.map((row) => row.name));
  const made = new Set(proved.map((row) => row.codec));
  const best = (codec) => [`any_${codec}`, `${codec}: each worker's best`];
  const names = [...makes.keys()].sort();
  const part = (wanted) => names.filter((name) => live.has(name) === wanted).map((name) => [name, name]);
  return {
    makes,
    groups: [
      ...group("Any encoder of a codec", codecs.filter((codec) => made.has(codec)).map(best)),
      ...group("One encoder", part(true)),
      ...group("Proved by no live worker", [...codecs.filter((codec) => !made.has(codec)).map(best), ...part(false)]),
      ...group("No encoder", [["copy", "copy: keep the video as it is"]]),
    ],
  };
}

/**
 * Builds the form within `place`, a fieldset; `changed()` is called whenever
 * the recipe may be another.
 */
export function recipeForm(place, changed = () => {}) {
  const problem = h("p", { class: "problem wide", role: "alert", id: `recipe-problem-${(forms += 1)}`, hidden: true });
  const allowed = h("p", { class: "mono soft" });
  const fields = {
    start: choice("start", ["", "…"]),
    with: choice("with"),
    else: choice("else", ["", "no other"]),
    rate: choice("rate", ["", "the encoder's default"], ["quality", "quality, 1 to 100"], ["crf", "the encoder's scale (CRF)"], ["bitrate", "bitrate"]),
    amount: text("amount"),
    preset: text("preset", "slow, p5, 8"),
    bit_depth: choice("bit_depth", ["", "as the source"], ["8", "8 bits"], ["10", "10 bits"]),
    hdr: choice("hdr", ["", "as the source"], ["sdr", "map HDR to SDR"]),
    chroma: choice("chroma", ["", "as the source"], ["420", "4:2:0"]),
    scale: text("scale", "720p, 1280x-2"),
    scale_up: choice("scale_up", ["", "never"], ["true", "if need be"]),
    filters: text("filters", "hqdn3d,crop=1280:536"),
    arguments: text("arguments", "g=240 tune=grain"),
    audio: choice("audio", ["copy", "keep"], ["none", "none"]),
    bitrate: text("bitrate", "128k"),
    subtitles: choice("subtitles", ["keep", "keep"], ["none", "none"]),
    captions: choice("captions", ["keep", "keep inside the video"], ["srt", "also as a subtitle track"]),
    strict_input: choice("strict_input", ["", "encode what can be read"], ["true", "refuse"]),
    container: choice("container", ["mkv", "mkv"]),
  };
  const kept = losses();
  place.append(
    field("Start from a preset", fields.start),
    field("Encoder", fields.with),
    field("Fallback encoder", fields.else),
    field("Rate", fields.rate),
    field("Value", fields.amount),
    field("Encoder's preset", fields.preset),
    field("Bit depth", fields.bit_depth),
    field("Dynamic range", fields.hdr),
    field("Sampling of colour", fields.chroma),
    field("Size", fields.scale, "At most: smaller sources keep their size"),
    field("Enlarge smaller sources", fields.scale_up),
    field("Filters", fields.filters),
    field("Further arguments", fields.arguments),
    field("Audio", fields.audio),
    field("Audio bitrate", fields.bitrate),
    field("Subtitles", fields.subtitles),
    field("Closed captions", fields.captions),
    field("Damaged inputs", fields.strict_input),
    field("Container", fields.container),
    problem,
    kept.element,
    h("details", { class: "wide" }, h("summary", {}, "Which filters and arguments there are"), allowed),
  );

  let presets = [];
  let known = { makes: new Map(), groups: [] };
  let shape = "";
  let isTouched = false;

  /** Chooses a value, which is offered from now on. */
  function choose(select, value) {
    if (![...select.options].some((option) => option.value === value)) select.append(option(value, value.split(",").join(", else ")));
    select.value = value;
  }

  /** Who could stand in: encoders of the same codec, and whoever does already. */
  function offerOthers(present) {
    const name = fields.with.value;
    const codec = known.makes.get(name);
    const others = [...known.makes].filter(([other, made]) => codec && made === codec && other !== name).map(([other]) => other);
    fields.else.replaceChildren(option("", "no other"), ...others.sort().map((other) => option(other)));
    if (present) choose(fields.else, present);
  }

  async function offer() {
    const words = await vocabulary();
    const found = encoders(words);
    const names = JSON.stringify([...found.groups].map((group) => [group.label, group.textContent]));
    if (names === shape) return;
    shape = names;
    known = found;
    const present = isTouched ? fields.with.value : "";
    fields.with.replaceChildren(...found.groups);
    if (present) choose(fields.with, present);
    offerOthers(fields.else.value);
    const [audio, container] = [fields.audio.value, fields.container.value];
    fields.audio.replaceChildren(
      option("copy", "keep"),
      option("none"),
      ...group("Keep what the container holds, else", words.audio.map((name) => [`else:${name}`, `keep, else ${name}`])),
      ...group("Encode every track", words.audio.map((name) => [name, name])),
    );
    kept.offer(words.losses);
    fields.container.replaceChildren(...words.containers.map((name) => option(name)));
    choose(fields.audio, audio);
    choose(fields.container, container || "mkv");
    say(allowed, `Filters: ${words.filters.join(" ")}. Arguments: ${words.arguments.join(" ")}.`);
    settle();
    changed();
  }

  /** Closes what means nothing beside the rest. */
  function settle() {
    const isCopy = fields.with.value === "copy";
    for (const name of ENCODING) fields[name].disabled = isCopy;
    fields.scale_up.disabled ||= fields.scale.value.trim() === "";
    fields.else.disabled = isCopy || fields.with.value.startsWith("any_");
    const kind = fields.rate.value;
    fields.amount.disabled ||= kind === "";
    fields.amount.required = !fields.amount.disabled;
    const [type, min, max] = { quality: ["number", 1, 100], crf: ["number", 0, 255] }[kind] ?? ["text", null, null];
    set(fields.amount, "type", type);
    set(fields.amount, "min", min);
    set(fields.amount, "max", max);
    set(fields.amount, "step", kind === "crf" ? "any" : null);
    set(fields.amount, "placeholder", kind === "bitrate" ? "4M, 2500k" : "");
    fields.bitrate.disabled = ["copy", "none"].includes(fields.audio.value);
  }

  function encode() {
    const name = fields.with.value;
    const said = (field) => (fields[field].disabled ? "" : fields[field].value.trim());
    const others = said("else");
    const made = {};
    if (name.startsWith("any_")) made.with = { codec: name.slice(4) };
    else made.with = others ? { first_of: [name, ...others.split(",")] } : { encoder: name };
    const [kind, amount] = [said("rate"), said("amount")];
    if (kind && amount) made.rate = { [kind]: kind === "bitrate" ? amount : Number(amount) };
    for (const part of ["preset", "scale", "filters"]) if (said(part)) made[part] = said(part);
    if (said("bit_depth")) made.bit_depth = Number(said("bit_depth"));
    if (said("hdr")) made.hdr = said("hdr");
    if (said("chroma")) made.chroma = said("chroma");
    if (said("scale") && said("scale_up")) made.scale_up = true;
    if (said("arguments")) made.arguments = said("arguments").split(/\s+/);
    return made;
  }

  function audio() {
    const encoder = fields.audio.value;
    if (fields.bitrate.disabled) return encoder;
    const bitrate = fields.bitrate.value.trim();
    const [part, name] = encoder.startsWith("else:") ? ["copy_else", encoder.slice(5)] : ["encode", encoder];
    return { [part]: bitrate ? { encoder: name, bitrate } : { encoder: name } };
  }

  /** What is said of the whole recipe, where it is not as usual. */
  function further() {
    const made = {};
    if (fields.captions.value !== "keep") made.captions = fields.captions.value;
    if (fields.strict_input.value) made.strict_input = true;
    const refused = kept.value();
    if (refused.length) made.refuse_loss = refused;
    return made;
  }

  function fill(recipe) {
    isTouched = true;
    const encoded = recipe.video.encode;
    const { encoder, codec, first_of: several } = encoded?.with ?? {};
    choose(fields.with, codec ? `any_${codec}` : (several?.[0] ?? encoder ?? "copy"));
    offerOthers(several?.slice(1).join() ?? "");
    const [kind, amount] = Object.entries(typeof encoded?.rate === "object" ? encoded.rate : {})[0] ?? ["", ""];
    fields.rate.value = kind;
    // Of another type, it would not take the value.
    settle();
    fields.amount.value = amount;
    for (const part of ["preset", "scale", "filters"]) fields[part].value = encoded?.[part] ?? "";
    fields.bit_depth.value = encoded?.bit_depth ?? "";
    fields.hdr.value = encoded?.hdr ?? "";
    fields.chroma.value = encoded?.chroma ?? "";
    fields.arguments.value = encoded?.arguments?.join(" ") ?? "";
    fields.scale_up.value = encoded?.scale_up ? "true" : "";
    const fallback = recipe.audio?.copy_else;
    const sound = recipe.audio?.encode ?? fallback;
    choose(fields.audio, fallback ? `else:${fallback.encoder}` : (sound?.encoder ?? recipe.audio ?? "copy"));
    fields.bitrate.value = sound?.bitrate ?? "";
    fields.subtitles.value = recipe.subtitles ?? "keep";
    choose(fields.container, recipe.container ?? "mkv");
    fields.captions.value = recipe.captions ?? "keep";
    fields.strict_input.value = recipe.strict_input ? "true" : "";
    kept.fill(recipe.refuse_loss ?? []);
    settle();
  }

  place.addEventListener("change", (event) => {
    if (event.target === fields.start) {
      const preset = presets.find((preset) => preset.name === fields.start.value);
      if (preset) fill(preset.recipe);
    } else {
      isTouched = true;
      fields.start.value = "";
    }
    if (event.target === fields.with) offerOthers("");
    settle();
    changed();
  });
  settle();

  return {
    /** The form is shown: what workers prove is offered, until this is called. */
    open() {
      return watch(offer);
    },
    /** Offers presets; a form that nobody has touched starts from `first`. */
    presets(found, first = null) {
      presets = found;
      const present = fields.start.value;
      fields.start.replaceChildren(option("", "…"), ...found.map((preset) => option(preset.name)));
      if (found.some((preset) => preset.name === present)) fields.start.value = present;
      const preset = isTouched ? null : found.find((preset) => preset.name === first);
      if (!preset) return;
      fields.start.value = first;
      fill(preset.recipe);
      changed();
    },
    fill,
    /** Chooses this encoder, all else left as it is. */
    use(encoder) {
      isTouched = true;
      choose(fields.with, encoder);
      offerOthers("");
      settle();
      changed();
    },
    /** The recipe that the form says. */
    value: () => ({
      video: fields.with.value === "copy" ? "copy" : { encode: encode() },
      audio: audio(),
      subtitles: fields.subtitles.value,
      container: fields.container.value,
      ...further(),
    }),
    /** Whether there is anything to choose from yet. */
    isOpen: () => fields.with.value !== "",
    /** Whether it names several encoders, one after the other. */
    hops: () => !fields.else.disabled && fields.else.value !== "",
    /** Says what is wrong with the recipe, beside the field that is at fault; `null` takes it back. */
    refuse(message) {
      const [, path, reason] = message?.match(/^recipe\.([\w.[\]]+): (.*)$/s) ?? [null, "", message];
      const part = path.replace(/^video\.encode\./, "").split(/[.[]/)[0];
      for (const [name, control] of Object.entries(fields)) {
        const isAtFault = part !== "" && !control.disabled && (HOLDS[name] ?? name) === part;
        set(control, "aria-invalid", isAtFault ? "true" : null);
        set(control, "aria-describedby", isAtFault ? problem.id : null);
      }
      problem.hidden = !message;
      say(problem, reason ?? "");
    },
  };
}
