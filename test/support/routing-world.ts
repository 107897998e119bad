/**
 * Backends whose answers are written down step by step, a clock that stands still, and a record of every attempt: for tests of
 * the router alone.
 */
import type { Backend } from "../../server/backends/backend.ts";
import type { ChatEvent, ChatRequest, EndEvent } from "../../server/domain/chat.ts";
import { isContent, isEnd } from "../../server/domain/chat.ts";
import type { Vectors, WholeEvent } from "../../server/domain/embedding.ts";
import { asFailure, Failure } from "../../server/domain/failure.ts";
import type { RequestNote } from "../../server/domain/note.ts";
import type { ServedModel } from "../../server/domain/model.ts";
import type { PlanRecord } from "../../server/domain/routing/plan.ts";
import type { RouteWishes } from "../../server/domain/routing/request-facts.ts";
import { noTimings } from "../../server/domain/usage.ts";
import { createRouter, type Router, type RouterOptions } from "../../server/router/router.ts";
import { chatRequest } from "./chat-request.ts";
import { type ManualClock, manualClock } from "./manual-clock.ts";
import { finished, someUsage } from "./scripted-backend.ts";

export const text: ChatEvent = { type: "text", text: "hi" };
export const accepted: ChatEvent = { type: "accepted", promptTokens: 12, queuePosition: 1 };
export const started: ChatEvent = { type: "started", promptTokens: 12, cachedTokens: 4 };
export const ping: ChatEvent = { type: "frame", wire: { dialect: "anthropic-messages", event: "ping", data: "{}" } };
export const empty: ChatEvent = { type: "text", text: "" };
export const failing = (failure: Failure): ChatEvent => ({
  type: "failed",
  failure,
  usage: someUsage,
  timings: noTimings,
});

/** An event, a Failure that is thrown, so many milliseconds of silence, or silence for good; `deaf`: it heeds no abort. */
export type Beat = ChatEvent | Failure | number | "silent" | "deaf";

export interface World {
  readonly clock: ManualClock;
  readonly router: Router;
  /** Names of targets in the order they were asked. */
  readonly asked: string[];
  readonly requests: ChatRequest[];
  /** Names of targets that were asked to count. */
  readonly counted: string[];
  ask(alias: string, wishes?: Asking): Journey;
}

export interface Asking {
  readonly request?: Partial<ChatRequest>;
  readonly signal?: AbortSignal;
  readonly headers?: Partial<RouteWishes>;
  readonly caller?: string;
}

export interface Journey {
  readonly log: readonly string[];
  readonly events: readonly ChatEvent[];
  readonly plan: () => PlanRecord | null;
  /** `code: detail`, in their order. */
  readonly notes: readonly string[];
  /** Whose words the client got, where the router said so. */
  readonly answeredBy: () => string | null;
  /** Resolves when it has ended; with its end, or with the failure that was thrown before any event. */
  readonly end: Promise<EndEvent | Failure>;
}

export type Scripts = Readonly<Record<string, readonly (readonly Beat[])[]>>;

export interface WorldOptions extends Omit<RouterOptions, "clock"> {
  readonly kinds?: Readonly<Record<string, Backend["kind"]>>;
  readonly models?: Readonly<Record<string, Partial<ServedModel>>>;
  /** Whether a backend has another key; absent: it has no keys. */
  readonly ready?: Readonly<Record<string, () => boolean>>;
  readonly health?: Readonly<Record<string, () => { readonly able: boolean; readonly reason: string }>>;
  readonly count?: Readonly<Record<string, number>>;
}

/** Keys are targets, `a/m`; each call takes the next script, and where there is none it answers well. */
export function world(scripts: Scripts, options: WorldOptions = {}): World {
  const clock = manualClock();
  const asked: string[] = [];
  const requests: ChatRequest[] = [];
  const counted: string[] = [];
  const calls = new Map<string, number>();
  const ids = [...new Set(Object.keys(scripts).map((name) => name.slice(0, name.indexOf("/"))))];
  const backends = ids.map((id): Backend => {
    const names = Object.keys(scripts).filter((name) => name.startsWith(`${id}/`));
    const ready = options.ready?.[id];
    return {
      id,
      kind: options.kinds?.[id] ?? (id === "engine" ? "engine" : "cloud"),
      served: () => names.map((name) => model(name.slice(id.length + 1), options.models?.[name])),
      count: async (request) => {
        counted.push(`${id}/${request.model}`);
        return options.count?.[`${id}/${request.model}`] ?? 12;
      },
      async *chat(request, _context, signal) {
        const name = `${id}/${request.model}`;
        asked.push(name);
        requests.push(request);
        const call = calls.get(name) ?? 0;
        calls.set(name, call + 1);
        yield* play(scripts[name]?.[call] ?? [text, finished], clock, signal);
      },
      embed: ({ model: wanted }) => vectors(`${id}/${wanted}`),
      rerank: () => nothing(),
      health: (alias) => options.health?.[`${id}/${alias}`]?.() ?? { able: true, reason: "ready" },
      ...(ready === undefined ? {} : { ready: () => ({ able: ready(), reason: "", retryAtMs: null }) }),
      close: async () => {},
    };
  });
  async function* vectors(name: string): AsyncGenerator<WholeEvent<Vectors>> {
    asked.push(name);
    const first = scripts[name]?.[0]?.[0];
    if (first instanceof Failure) throw first;
    yield { type: "result", result: [Float32Array.of(1)] };
    yield { type: "finished", finishReason: "stop", usage: someUsage, timings: noTimings };
  }
  const { kinds: _kinds, models: _models, ready: _ready, health: _health, count: _count, ...own } = options;
  const router = createRouter(backends, { random: () => 0.5, ...own, clock });
  return {
    clock,
    router,
    asked,
    requests,
    counted,
    ask: (alias, asking = {}) => journey(router, alias, asking),
  };
}

async function* nothing() {
  yield { type: "aborted" as const, usage: someUsage, timings: noTimings };
}

function model(alias: string, facts: Partial<ServedModel> = {}): ServedModel {
  return {
    ...{ alias, capabilities: ["chat"], embeddingLength: null, fileName: "", sizeBytes: 0, createdAtMs: 0 },
    ...{ contextLength: 0, slots: 1, demo: false },
    ...facts,
  };
}

async function* play(beats: readonly Beat[], clock: ManualClock, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  for (const beat of beats) {
    if (beat === "deaf") await new Promise(() => {});
    if (beat instanceof Failure) throw beat;
    if (typeof beat === "object") {
      yield beat;
      continue;
    }
    await new Promise<void>((resolve) => {
      if (typeof beat === "number") clock.after(beat, resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    if (!signal.aborted) continue;
    yield { type: "aborted", usage: someUsage, timings: noTimings };
    return;
  }
}

function journey(router: Router, alias: string, { request, signal, headers, caller }: Asking): Journey {
  const log: string[] = [];
  const events: ChatEvent[] = [];
  let plan: PlanRecord | null = null;
  const notes: string[] = [];
  let answerer: string | null = null;
  const hooks = {
    planned: (record: PlanRecord) => {
      plan = record;
    },
    opened: (number: number, { target, reason }: { target: { backendId: string; model: string }; reason: string }) => {
      log.push(`${number} ${target.backendId}/${target.model} ${reason}`);
    },
    noted: ({ code, detail }: RequestNote) => {
      notes.push(`${code}: ${detail}`);
    },
    answeredBy: (target: string) => {
      answerer = target;
    },
    closed: (number: number, end: EndEvent) => {
      log.push(`${number} ${end.type === "failed" ? end.failure.code : end.type}`);
    },
  };
  const wishes = { role: null, task: null, tier: null, data: null, ...headers };
  const context = { requestId: "r1", callerName: caller ?? "ayo", wishes };
  async function run(): Promise<EndEvent | Failure> {
    try {
      const asked = chatRequest("x", { ...request, model: alias });
      for await (const event of router.run(router.plan(alias), asked, context, signal ?? never, hooks))
        events.push(event);
    } catch (thrown) {
      return asFailure(thrown);
    }
    const end = events.at(-1);
    if (end === undefined || !isEnd(end)) throw new Error("an answer has exactly one end, last");
    return end;
  }
  return { log, events, notes, answeredBy: () => answerer, plan: () => plan, end: run() };
}

const never = new AbortController().signal;

/** Lets everything happen that waits for no time: promises of promises, a bounded number of turns. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
}

/** Moves time on in steps until the journey has ended; throws when `mostMs` were not enough. Gives how long it took. */
export async function finish(clock: ManualClock, { end }: Journey, mostMs = 600_000, stepMs = 50): Promise<number> {
  let isOver = false;
  void end.finally(() => {
    isOver = true;
  });
  const startMs = clock.monotonicMs();
  for (;;) {
    await settle();
    if (isOver) return clock.monotonicMs() - startMs;
    if (clock.monotonicMs() - startMs >= mostMs) throw new Error(`not over after ${mostMs} ms`);
    clock.advance(stepMs);
  }
}

export function contentOf({ events }: Journey): readonly ChatEvent[] {
  return events.filter((event) => isContent(event));
}
