// The types that the page's modules share: `@import { Deps } from "#types"`.

import type { components, paths } from "./api";
import type { Api } from "../assets/lib/api.js";
import type { Clock } from "../assets/lib/clock.js";
import type { LastDay } from "../assets/lib/last-day.js";
import type { Route } from "../assets/lib/router.js";
import type { Session } from "../assets/lib/session.js";
import type { LiveState } from "../assets/lib/state.js";
import type { BrowserNotifications } from "../assets/notifications/browser.js";
import type { Notes } from "../assets/widgets/notes.js";

type Schemas = components["schemas"];

// What the server answers, as its OpenAPI document describes it.

export type State = Schemas["LiveState"];
export type SplitChoice = Schemas["Split"];
export type Attention = Schemas["Attention"];
export type Autoscaler = Schemas["Autoscaler"];
export type BatchRow = Schemas["BatchRow"];
export type CardRow = Schemas["CardRow"];
export type EncoderRow = Schemas["EncoderRow"];
export type EndedRow = Schemas["EndedRow"];
export type Fit = Schemas["Fit"];
export type LibraryFile = Schemas["LibraryFile"];
export type LibraryRow = Omit<Schemas["LibraryRow"], "library" | "scan"> & {
  library: Omit<Schemas["Library"], "results"> & { results: { folder: string } | { replace: Schemas["Replacement"] } };
  scan?: (Omit<Schemas["ScanRecord"], "phase"> & { phase: Tagged<Schemas["ScanPhase"]> }) | null;
};
export type Saving = Schemas["Saving"];
export type Folder = Schemas["FolderRow"];
export type History = Schemas["History"];
export type Hold = Schemas["ControlRow"];
export type HookRow = Schemas["HookRow"];
export type Hooks = Schemas["Hooks"];
export type JetStream = Schemas["JetStream"];
export type JobName = Schemas["JobName"];
export type JobRow = Schemas["JobRow"];
export type JobsPage = Schemas["Page"];
export type NextRow = Schemas["NextRow"];
export type OutputQuality = Schemas["OutputQuality"];
export type Sample = Schemas["SampleRow"];
export type SampleForecast = Schemas["SampleForecast"];
export type Samples = Schemas["Samples"];
export type Outcome = Schemas["Outcome"];
export type JobState = Schemas["JobState"];
export type Outputs = Schemas["Outputs"];
export type PartRow = Schemas["PartRow"];
export type PresetRow = Schemas["PresetRow"];
export type QueueRow = Schemas["QueueRow"];
export type RetryRow = Schemas["RetryRow"];
export type RunningRow = Schemas["RunningRow"];
export type Sum = Schemas["Sum"];
export type Unavailable = Schemas["Unavailable"];
export type Vocabulary = Schemas["Vocabulary"];
export type WaitingJobs = Schemas["WaitingJobs"];
export type WorkerRow = Schemas["WorkerRow"];

// Unions of the farm's messages: a word, or an object whose only key says which of several values it holds.

type Keys<U> = U extends object ? keyof U : never;
/** Such a union as an object that has each of its keys perhaps, or as a word. */
type Tagged<U> = Extract<U, string> | { [K in Keys<U>]?: U extends { [P in K]: infer V } ? V : never };
type Objects<U> = Exclude<Tagged<U>, string>;

export type Audio = Schemas["Audio"];
export type AudioEncoder = Schemas["AudioEncoder"];
export type AudioObject = Objects<Audio>;
export type Change = Schemas["Change"];
export type Choice = Objects<Schemas["Choice"]>;
export type Codec = Schemas["Codec"];
export type ForecastAnswer = Schemas["ForecastAnswer"];
export type Estimate = Schemas["Estimate"];
export type Job = Schemas["Job"];
export type JobEvent = Omit<Schemas["Event"], "what"> & { what: Tagged<Schemas["What"]> };
export type JobDetails = Omit<Schemas["Details"], "record" | "events"> & { record: Objects<Schemas["JobRecord"]>; events: JobEvent[] };
export type Plan = Schemas["Plan"];
export type Rate = Schemas["Rate"];
export type Recipe = Schemas["Recipe"];
export type Rules = Schemas["Rules"];
export type Report = Schemas["Report"];
export type RunState = Objects<Schemas["RunState"]>;
export type Track = Objects<Schemas["TrackInfo"]>;
export type Media = Omit<Schemas["MediaInfo"], "tracks"> & { tracks: Track[] };
export type Content = Omit<Schemas["Content"], "media"> & { media?: Media | null };
export type VideoEncode = Schemas["VideoEncode"];
export type What = Objects<Schemas["What"]>;

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
  notifications: BrowserNotifications;
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
