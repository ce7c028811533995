// The types that the page's modules share: `@import { Deps } from "#types"`.

import type { components, paths } from "./api";
import type { Api } from "../assets/lib/api.js";
import type { Clock } from "../assets/lib/clock.js";
import type { LastDay } from "../assets/lib/last-day.js";
import type { Route } from "../assets/lib/router.js";
import type { Session } from "../assets/lib/session.js";
import type { LiveState } from "../assets/lib/state.js";
import type { Notes } from "../assets/widgets/notes.js";

type Schemas = components["schemas"];

// What the server answers, as its OpenAPI document describes it.

export type State = Schemas["LiveState"];
export type Attention = Schemas["Attention"];
export type BatchRow = Schemas["BatchRow"];
export type CardRow = Schemas["CardRow"];
export type EncoderRow = Schemas["EncoderRow"];
export type EndedRow = Schemas["EndedRow"];
export type Fit = Schemas["Fit"];
export type Folder = Schemas["FolderRow"];
export type Held = Schemas["Held"];
export type History = Schemas["History"];
export type Hold = Schemas["ControlRow"];
export type JetStream = Schemas["JetStream"];
export type JobName = Schemas["JobName"];
export type JobRow = Schemas["JobRow"];
export type JobsPage = Schemas["Page"];
export type NextRow = Schemas["NextRow"];
export type Outcome = Schemas["Outcome"];
export type JobState = Schemas["JobState"];
export type PresetRow = Schemas["PresetRow"] & { recipe: Recipe };
export type QueueRow = Schemas["QueueRow"];
export type RetryRow = Schemas["RetryRow"];
export type RunningRow = Schemas["RunningRow"];
export type Sum = Schemas["Sum"];
export type Unavailable = Schemas["Unavailable"];
export type Vocabulary = Schemas["Vocabulary"];
export type WorkerRow = Schemas["WorkerRow"];

// What the document leaves open, as `object`: messages of the farm, which have types of their own in Rust.

export type Rate = "default" | { quality: number } | { crf: number } | { bitrate: string | number };
export type VideoEncode = {
  with: { encoder?: string; codec?: string; first_of?: string[] };
  rate?: Rate;
  preset?: string;
  bit_depth?: number;
  hdr?: string;
  chroma?: string;
  scale?: string;
  scale_up?: boolean;
  filters?: string;
  arguments?: string[];
};
export type AudioEncode = { encoder: string; bitrate?: string | number };
export type Audio = string | { copy_else?: AudioEncode; encode?: AudioEncode };
export type Recipe = {
  video: "copy" | { encode: VideoEncode };
  audio?: Audio;
  subtitles?: string;
  captions?: string;
  container?: string;
  refuse_loss?: string[];
  strict_input?: boolean;
};

export type Change = { kind: string; fate: "kept" | "converted" | "lost"; track?: number; from: string; to?: string; why?: string; is_wanted?: boolean };
export type Failure = { message: string; log?: string[] };
export type Report = {
  worker: string;
  encoder: string | null;
  input_size: number;
  output_size: number;
  frames: number;
  duration: number;
  encode_seconds: number;
  total_seconds: number;
  changes?: Change[];
  warnings?: string[];
};
export type Job = {
  id: string;
  batch: string;
  input: { location: string; size: number };
  output: string;
  recipe: Recipe;
  attempts: number;
  enqueued: string;
};
export type RunState = {
  running?: { worker: string };
  waiting?: { until: string };
  completed?: { report: Report };
  failed?: { failure: Failure };
};
export type Run = {
  job: Job;
  queue: string;
  priority: number;
  attempt: number;
  returned: number;
  state: string | RunState;
  failures?: { failure: Failure }[];
};
export type JobRecord = { run?: Run; parked?: Run; pending?: { job: Job; queue: string; priority: number } };
export type What = {
  claimed?: string;
  command?: string;
  progress?: { frame: number; fps: number };
  returned?: string;
  moved?: string;
  retried?: Failure;
  completed?: Report;
  failed?: Failure;
};
export type JobEvent = { what: string | What; attempt: number; at: string; priority?: number };
export type JobDetails = Schemas["Details"] & { record: JobRecord; events: JobEvent[] };

export type Track = {
  video?: { codec: string; width: number; height: number; fps?: number; depth: number };
  audio?: { codec: string; channels: number; language?: string };
  subtitles?: { codec: string; language?: string };
};
export type Media = { format: string; duration?: number; tracks: Track[] };
export type Content = { media?: Media | null; why?: string | null };
export type Plan = {
  candidates: {
    worker: string;
    encoder: string | null;
    fps: number | null;
    measured: { jobs: number; fps: number; seconds_per_gigabyte: number } | null;
    score: number;
    warnings: string[];
  }[];
  unfit: { worker: string; reason: string }[];
  alternatives: { encoder: string; workers: string[]; fps: number }[];
};

// Requests: a path of the document, what fills it, and what comes back.

type Prefix = "/api/v1";
type PathsWith<M extends Method> = { [P in keyof paths]: paths[P] extends { [K in M]: object } ? P : never }[keyof paths];
type Operation<M extends Method, P> = `${Prefix}${P & string}` extends infer F extends keyof paths
  ? paths[F] extends { [K in M]: infer O }
    ? O
    : never
  : never;
type Json<T> = T extends { content: { "application/json": infer C } } ? C : null;
type Rest<F> = F extends `${Prefix}${infer P}` ? P : never;

export type Method = "get" | "post" | "put" | "delete";
/** Paths below `/api/v1` that know a method. */
export type Path<M extends Method> = Rest<PathsWith<M>>;
/** What fills a path, and what stands behind its `?`. */
export type Parameters<M extends Method, P> =
  Operation<M, P> extends { parameters: { path?: infer A; query?: infer B } }
    ? ([A] extends [undefined] ? {} : A) & ([B] extends [undefined] ? {} : Loose<NonNullable<B>>)
    : never;
/** An address knows text only: the server reads numbers and words from it. */
type Loose<T> = { [K in keyof T]: T[K] | string };
export type Body<M extends Method, P> = Operation<M, P> extends { requestBody: infer B } ? Json<B> : null;
export type Answer<M extends Method, P> =
  Operation<M, P> extends { responses: infer R } ? (R extends { 200: infer A } ? Json<A> : null) : never;

// What a page is made of.

/** What a page gets to work with. */
export type Deps = {
  api: Api;
  /** Draws what depends on the state and the time. */
  clock: Clock;
  /** The live state. */
  state: LiveState;
  /** What the farm did in the last day. */
  lastDay: LastDay;
  /** Short words on how an order ended. */
  notes: Notes;
  session: Session;
  /** Does work once nothing is pressed or dragged. */
  whenStill: (work: () => void) => void;
  /** What a page keeps for when it is shown again. */
  memory: Map<string, any>;
};

/** A mounted page. */
export type Page = {
  /** The page is shown for this address, or the address has changed within the page. */
  show: (route: Route) => void;
  /** The page goes: it asks for nothing any more. */
  unmount: () => void;
};
export type Mount = (element: HTMLElement, deps: Deps) => Page;

/** A row of a keyed list. */
export type Row<T, C extends any[] = []> = { element: Element; update: (item: T, ...context: C) => void };
