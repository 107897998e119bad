/**
 * The HTTP room on a real port with a real ledger and real keys. Only what lies below its edge is scripted: the inference
 * spine, whose events a test hands out one by one, and the rows it was asked to write.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createAccess } from "../../../server/access/access.ts";
import { createRateLimits, type RateLimitSettings } from "../../../server/access/rate-limits.ts";
import type { BindFacts } from "../../../server/access/authenticate.ts";
import type { ChatEvent, ChatRequest } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";
import type { ModelView, ServedModel } from "../../../server/domain/model.ts";
import type { Scores, Vectors, WholeEvent } from "../../../server/domain/embedding.ts";
import type { HardwareView } from "../../../server/domain/hardware.ts";
import type { BoxEvent, Clock, Log } from "../../../server/domain/ports.ts";
import { estimatedPromptTokens } from "../../../server/domain/prompt-estimate.ts";
import { noTimings } from "../../../server/domain/usage.ts";
import type { HttpDeps, HttpSettings, HttpTiming } from "../../../server/http/deps.ts";
import { createHttp, type Http } from "../../../server/http/http.ts";
import type { Inference } from "../../../server/inference.ts";
import { createMoneyDesk } from "../../../server/ledger/money-desk.ts";
import { openLedger } from "../../../server/ledger/ledger.ts";
import { systemClock } from "../../../server/platform/clock.ts";

export const usage = { promptTokens: 5, cachedTokens: 2, completionTokens: 2, reasoningTokens: 0 };
export const finished: ChatEvent = { type: "finished", finishReason: "stop", usage, timings: noTimings };
export const aborted: ChatEvent = { type: "aborted", usage, timings: noTimings };
export const text = (words: string): ChatEvent => ({ type: "text", text: words });
export const failed = (failure: Failure): ChatEvent => ({ type: "failed", failure, usage, timings: noTimings });

export const hello = { model: "coder", messages: [{ role: "user", content: "hi" }] };

export const coder: ServedModel = {
  alias: "coder",
  capabilities: ["chat"],
  embeddingLength: null,
  fileName: "coder.gguf",
  sizeBytes: 1000,
  createdAtMs: 1_700_000_000_000,
  contextLength: 8192,
  slots: 4,
  demo: false,
};

/** A machine of which only the memory is known. */
export const bareMachine: HardwareView = {
  sampledAtMs: 1_700_000_000_000,
  platform: "linux",
  gpus: [],
  cpu: { name: null, physicalCores: null, threads: null },
  memory: { totalBytes: { value: 17_179_869_184, source: "node" }, freeBytes: null },
  disk: { totalBytes: null, freeBytes: null },
  engine: { gpu: "cpu", reason: "No GPU was found, so models run on the CPU." },
};

/** One request as the spine sees it, and what a test lets the spine answer. */
export interface Performance {
  readonly requestId: string;
  readonly request: ChatRequest;
  readonly callerName: string;
  readonly signal: AbortSignal;
  /** Events the HTTP room has asked for so far. */
  readonly pulled: () => number;
  emit(...events: ChatEvent[]): void;
  /** Before the first event: a refusal. */
  refuse(failure: Failure): void;
  /** Resolves when the signal aborts. */
  readonly left: Promise<void>;
}

export interface Refusal {
  readonly requestId: string;
  readonly alias: string | null;
  readonly stream: boolean;
  readonly callerName: string;
  readonly failure: Failure;
}

export interface Room {
  readonly http: Http;
  readonly port: number;
  readonly url: string;
  readonly adminKey: string;
  readonly inferenceKey: string;
  /** Rows written for requests that never reached the spine. */
  readonly refusals: Refusal[];
  readonly stops: { now: boolean }[];
  readonly logged: object[];
  /** Answers every chat from here on; null: `next()` hands them out. */
  script: ((performance: Performance) => void) | null;
  /** The next request that reaches the spine. */
  next(): Promise<Performance>;
  publish(event: BoxEvent): void;
  listeners(): number;
  ready: { ready: boolean; reason: string };
  post(body: unknown, options?: { headers?: Record<string, string>; signal?: AbortSignal }): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

export interface RoomOptions {
  readonly bind?: BindFacts;
  readonly settings?: Partial<HttpSettings>;
  readonly timing?: Partial<HttpTiming>;
  readonly limits?: Partial<RateLimitSettings>;
  readonly pageFolder?: string;
  readonly tls?: HttpDeps["tls"];
  readonly clock?: Clock;
  readonly models?: Partial<HttpDeps["models"]>;
  readonly downloads?: HttpDeps["downloads"];
  readonly providers?: HttpDeps["providers"];
  readonly routing?: HttpDeps["routing"];
  /** Made with what others may be told by. */
  readonly rentals?: (publish: (event: BoxEvent) => void) => NonNullable<HttpDeps["rentals"]>;
}

function noDownloads(): never {
  throw new Failure("not_found", "There is no such download.");
}

export const quick: HttpTiming = { commitMs: 200, stallMs: 1000, bodyGraceMs: 1000, discardMs: 1000, partingMs: 500 };
export const offLoopback: BindFacts = { loopbackOnly: false, headless: false };

/** A loaded model as the engine would show it; only `coder` is there. */
export function aModel(alias: string): ModelView {
  if (alias !== coder.alias && alias !== "org/coder:7b@q4")
    throw new Failure("model_not_found", `No model "${alias}" here.`);
  const { capabilities, fileName, sizeBytes, demo, contextLength } = coder;
  return {
    ...{ id: alias, capabilities, fileName, sizeBytes, demo, contextLength },
    ...{ state: "ready", since: 0, reason: "loaded", until: null, pinned: false, waiting: 0, workerPid: 1, slots: [] },
  };
}

export async function openRoom(options: RoomOptions = {}): Promise<Room> {
  const folder = mkdtempSync(join(tmpdir(), "lanthorn-http-"));
  const logged: object[] = [];
  const note = (fields: object, message: string) => void logged.push({ ...fields, message });
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const ledger = openLedger(join(folder, "ledger.sqlite"), { clock: systemClock, log });
  const access = createAccess({
    keys: ledger.keys,
    clock: systemClock,
    bind: options.bind ?? { loopbackOnly: true, headless: false },
    auth: "auto",
    environmentAdminKey: null,
  });
  const adminKey = access.keyring.create({ kind: "admin", name: "owner", label: null }).secret;
  const inferenceKey = access.keyring.create({ kind: "inference", name: "ann", label: null }).secret;

  const refusals: Refusal[] = [];
  const stops: { now: boolean }[] = [];
  const listeners = new Set<(event: BoxEvent) => void>();
  const publish = (event: BoxEvent) => {
    for (const listener of listeners) listener(event);
  };
  const arrived: Performance[] = [];
  const waiting: ((performance: Performance) => void)[] = [];
  const state: Pick<Room, "script" | "ready"> = { script: null, ready: { ready: true, reason: "serving" } };

  function announce(performance: Performance): void {
    const taker = waiting.shift();
    if (state.script !== null) state.script(performance);
    else if (taker !== undefined) taker(performance);
    else arrived.push(performance);
  }

  /** Nothing here scripts answers in one piece: a test that wants some gives the room its own. */
  async function* nothing<Result>(): AsyncIterable<WholeEvent<Result>> {
    yield { type: "aborted", usage, timings: noTimings };
  }

  const inference: Inference = {
    embed: () => nothing<Vectors>(),
    rerank: () => nothing<Scores>(),
    models: () => [coder, { ...coder, alias: "org/coder:7b@q4" }],
    count: async (request) => estimatedPromptTokens(request),
    closing: () => ({ target: "engine/coder", cost: { known: false, reason: "not_priced" } }),
    async refuse({ requestId, alias, stream, caller }, failure) {
      refusals.push({ requestId, alias, stream, callerName: caller.name, failure });
    },
    async *chat(input, signal) {
      const queue: ChatEvent[] = [];
      let refusal: Failure | null = null;
      let pulled = 0;
      let wake = () => {};
      const left = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      announce({
        request: input.request,
        requestId: input.requestId,
        callerName: input.caller.name,
        signal,
        pulled: () => pulled,
        left,
        emit(...events) {
          queue.push(...events);
          wake();
        },
        refuse(failure) {
          refusal = failure;
          wake();
        },
      });
      while (true) {
        pulled += 1;
        while (queue.length === 0 && refusal === null && !signal.aborted) {
          await Promise.race([left, new Promise<void>((resolve) => (wake = resolve))]);
        }
        if (refusal !== null) throw refusal;
        const event = signal.aborted ? aborted : queue.shift();
        if (event === undefined) continue;
        yield event;
        if (event.type === "finished" || event.type === "failed" || event.type === "aborted") return;
      }
    },
  };

  const deps: HttpDeps = {
    inference,
    routing: options.routing ?? {
      models: inference.models,
      explain: noDownloads,
      routes: () => [],
      state: () => [],
      probe: async () => [],
    },
    routeDesk: { begin: noDownloads, take: noDownloads, drop: noDownloads },
    access,
    budgets: {
      list: () => [],
      heldNanos: () => 0,
      set: () => [],
      remove: () => {},
    },
    rateLimits: createRateLimits(
      { requestsPerMinute: 0, tokensPerMinute: 0, concurrent: 0, ...options.limits },
      systemClock,
    ),
    downloads: options.downloads ?? {
      list: () => [],
      start: noDownloads,
      pause: noDownloads,
      resume: noDownloads,
      cancel: noDownloads,
    },
    providers: options.providers ?? {
      list: () => [],
      add: noDownloads,
      remove: noDownloads,
      addKey: noDownloads,
      removeKey: noDownloads,
      test: noDownloads,
    },
    rentals: options.rentals?.(publish) ?? null,
    reports: ledger.reports,
    money: createMoneyDesk({
      ...{ reports: ledger.money, overrides: [], clock: systemClock, localContext: () => null },
      setting: { provider: "", model: "", cacheHits: "none" },
      zone: "UTC",
    }),
    responses: ledger.responses,
    feedback: ledger.feedback,
    settings: { bodyLimitBytes: 1024 * 1024, keepAliveMs: 100, headerTimeoutMs: 1000, hosts: [], ...options.settings },
    timing: { ...quick, ...options.timing },
    clock: options.clock ?? systemClock,
    log,
    boxState: async () => ({ box: { name: "here" }, models: [], queue: [] }),
    models: {
      model: async (alias) => aModel(alias),
      models: async () => [aModel("coder")],
      load: async () => {},
      unload: () => {},
      pin: () => {},
      rescan: async () => [],
      ...options.models,
    },
    stayAwake: (untilMs) => ({ next: null, at: null, awakeUntil: untilMs }),
    hardware: () => bareMachine,
    configuration: () => ({ settings: [] }),
    readiness: () => state.ready,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: (request) => void stops.push(request),
    version: "0.0.1",
    engineBuild: "engine-1",
    pageFolder: options.pageFolder ?? null,
    tls: options.tls ?? null,
  };
  const http = createHttp(deps);
  http.server.listen(0, "127.0.0.1");
  await once(http.server, "listening");
  const { port } = http.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  return Object.assign(state, {
    http,
    port,
    url,
    adminKey,
    inferenceKey,
    refusals,
    stops,
    logged,
    next: () => {
      const performance = arrived.shift();
      if (performance !== undefined) return Promise.resolve(performance);
      return new Promise<Performance>((resolve) => void waiting.push(resolve));
    },
    publish,
    listeners: () => listeners.size,
    post: (body: unknown, { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {}) =>
      fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      }),
    get: (path: string, headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers }),
    async close() {
      await http.close(0);
      await ledger.close();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

/** A plain TCP connection and everything it has read. */
export interface RawClient {
  readonly socket: Socket;
  /** All bytes so far, one character each. */
  readonly received: () => string;
  /** Resolves with everything received when the server has closed the connection. */
  readonly closed: Promise<string>;
  /** Resolves when what was received contains `part`. */
  until(part: string): Promise<string>;
}

export async function openRaw(port: number, bytes = ""): Promise<RawClient> {
  const socket = connect(port, "127.0.0.1");
  const chunks: string[] = [];
  const received = () => chunks.join("");
  let changed = () => {};
  socket.on("data", (chunk) => {
    chunks.push(chunk.toString("latin1"));
    changed();
  });
  socket.on("close", () => changed());
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(received())));
  await once(socket, "connect");
  socket.write(bytes, "latin1");
  return {
    socket,
    received,
    closed,
    async until(part) {
      // Only what is new is searched, so that a stream of megabytes does not slow the test down.
      let searched = 0;
      let end = "";
      while (true) {
        const fresh = end + chunks.slice(searched).join("");
        searched = chunks.length;
        if (fresh.includes(part)) return received();
        end = fresh.slice(-part.length);
        if (socket.destroyed) throw new Error(`closed before ${JSON.stringify(part)}: … ${JSON.stringify(end)}`);
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
  };
}

/** The request a raw client sends for a chat, head and body. */
export function rawChat(body: object, headers: readonly string[] = []): string {
  const json = JSON.stringify(body);
  const head = ["POST /v1/chat/completions HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", ...headers];
  return `${head.join("\r\n")}\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
}

/** An answer's JSON, as the shape the test goes on to check. */
export async function jsonOf<Shape>(response: Response): Promise<Shape> {
  return (await response.json()) as Shape;
}

export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

/** Waits until `condition` holds, within `limitMs`; for facts that announce themselves by no event. */
export async function eventually(condition: () => boolean, limitMs = 5_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${condition}`);
    await delay(5);
  }
}
