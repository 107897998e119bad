/** What the gateway bench does to each contestant, and which rows of the table its figures become. Data and arithmetic only. */
import type { RowDefinition } from "../measure.ts";
import type { LoadOrder, LoadResult } from "./load.ts";
import { type StreamScript, streamModel, wholeModel } from "./script.ts";

export interface Trial {
  readonly id: string;
  readonly model: string;
  readonly stream: boolean;
  readonly load: Pick<LoadOrder, "connections" | "durationMs" | "most" | "frames" | "apartMs" | "everyMs">;
  readonly rows: readonly (RowDefinition & {
    /** `added`: what a gateway's figure is above the bare upstream's, taken right before or after. */
    readonly of: "added" | "own";
    figure(result: LoadResult): number;
  })[];
}

/** Bounds the requests of a connection where its time does. */
const unbounded = 1_000_000;
const paced: StreamScript = { frames: 64, paceMs: 20 };
const long: StreamScript = { frames: 250, paceMs: 20 };
/** A sixteenth of a stream and one more: people do not begin at the same moment, nor are their frames in step. `many` is about those that do. */
const apartMs = Math.ceil((paced.frames * paced.paceMs) / 16) + 1;
const bound = (target: number) => ({ better: "lower", target, absolute: true }) as const;

export const trials: readonly Trial[] = Object.freeze([
  {
    id: "one",
    model: wholeModel(5),
    stream: false,
    load: { connections: 1, durationMs: 4000, most: unbounded, frames: null },
    rows: [
      {
        ...{ name: "1 connection: added, median", unit: "ms", ...bound(1), of: "added" },
        figure: ({ answer }) => answer.p50,
      },
      {
        ...{ name: "1 connection: added, p99", unit: "ms", ...bound(3), of: "added" },
        figure: ({ answer }) => answer.p99,
      },
    ],
  },
  {
    id: "sixteen",
    model: wholeModel(20),
    stream: false,
    load: { connections: 16, durationMs: 4000, most: unbounded, frames: null },
    rows: [
      {
        ...{ name: "16 connections: added, median", unit: "ms", better: "lower", target: null, of: "added" },
        figure: ({ answer }) => answer.p50,
      },
      {
        ...{ name: "16 connections: added, p99", unit: "ms", ...bound(5), of: "added" },
        figure: ({ answer }) => answer.p99,
      },
    ],
  },
  {
    id: "fifty",
    model: wholeModel(50),
    stream: false,
    load: { connections: 10, durationMs: 6000, most: unbounded, frames: null, apartMs: 20, everyMs: 200 },
    rows: [
      {
        ...{ name: "S-34 50 requests a second: added, median", unit: "ms", better: "lower", target: null, of: "added" },
        figure: ({ answer }) => answer.p50,
      },
      {
        ...{ name: "S-34 50 requests a second: added, p95", unit: "ms", ...bound(10), of: "added" },
        figure: ({ answer }) => answer.p95,
      },
    ],
  },
  {
    id: "throughput",
    model: wholeModel(0),
    stream: false,
    load: { connections: 16, durationMs: 4000, most: unbounded, frames: null },
    rows: [
      {
        ...{ name: "16 connections, no pause: requests per second", unit: "req/s", better: "higher", target: 2.5 },
        of: "own",
        figure: ({ requests, seconds }) => requests / seconds,
      },
      {
        ...{ name: "  the same: p99 of an answer", unit: "ms", better: "lower", target: null, of: "own" },
        figure: ({ answer }) => answer.p99,
      },
    ],
  },
  {
    id: "streams",
    model: streamModel(paced),
    stream: true,
    load: { connections: 16, durationMs: 0, most: 3, frames: paced.frames, apartMs },
    rows: [
      {
        ...{ name: "16 streams, a frame every 20 ms: added TTFT, median", unit: "ms", ...bound(2), of: "added" },
        figure: ({ ttft }) => ttft?.p50 ?? Number.NaN,
      },
      {
        ...{ name: "  the same: added gap, p99", unit: "ms", ...bound(1), of: "added" },
        figure: ({ gap }) => gap?.p99 ?? Number.NaN,
      },
      {
        ...{ name: "  the same: lost or reordered frames", unit: "frames", ...bound(0), of: "own" },
        figure: ({ lostFrames, reorderedFrames }) => lostFrames + reorderedFrames,
      },
    ],
  },
  {
    id: "many",
    model: streamModel(long),
    stream: true,
    load: { connections: 500, durationMs: 0, most: 1, frames: long.frames },
    rows: [
      {
        ...{ name: "500 streams at once, a frame every 20 ms: complete", unit: "%", better: "higher", target: 100 },
        absolute: true,
        of: "own",
        figure: ({ requests, failures }) => (100 * (requests - failures)) / requests,
      },
      {
        ...{ name: "  the same: lost or reordered frames", unit: "frames", ...bound(0), of: "own" },
        figure: ({ lostFrames, reorderedFrames }) => lostFrames + reorderedFrames,
      },
      {
        ...{ name: "  the same: added gap, p99", unit: "ms", better: "lower", target: null, of: "added" },
        figure: ({ gap }) => gap?.p99 ?? Number.NaN,
      },
    ],
  },
] satisfies Trial[]);

/** Of the trial `many`: what the server says of itself and its process of it. */
export const manyRows = {
  loop: { name: "  the same: event loop late, p99", unit: "ms", ...bound(50) },
  idle: { name: "memory before", unit: "MiB", better: "lower", target: null },
  busy: { name: "  while 500 streams run", unit: "MiB", better: "lower", target: null },
  after: { name: "  ten seconds after them", unit: "MiB", better: "lower", target: null },
} as const satisfies Record<string, RowDefinition>;

/** A request as a small coding agent sends it: a system prompt, a question, one tool. About 2 kB. */
export function requestBody(model: string, stream: boolean): string {
  return JSON.stringify({
    model,
    messages: [
      { role: "system", content: "You are a careful assistant that works in a repository. ".repeat(20) },
      { role: "user", content: "What does this function do?" },
    ],
    tools: [
      {
        type: "function",
        function: {
          name: "read_file",
          description: "Reads a file of the repository.",
          parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
        },
      },
    ],
    max_tokens: 64,
    temperature: 0,
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
}
