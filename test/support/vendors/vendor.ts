/**
 * A stand-in vendor on loopback: answers as its wire documents, goes wrong as its script says, and keeps a log of every
 * connection and request. `const vendor = await startVendor({ wire: "openai" })`; `vendor.script({ fault: faults.cut })`.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type BillWishes, billReply } from "./bills.ts";
import { anthropicWire } from "./wires/anthropic.ts";
import { geminiWire } from "./wires/gemini.ts";
import { openaiWire } from "./wires/openai.ts";
import { responsesWire } from "./wires/responses.ts";
import type { Step, WireName } from "./script.ts";
import type { SeenRequest, VendorLog } from "./seen.ts";
import { send } from "./send.ts";
import { type Body, type Counted, pieces, promptTokens, type Reply, type VendorWire } from "./wire.ts";

export { faults, type Fault, type Step, type WireName } from "./script.ts";
export type { SeenRequest } from "./seen.ts";

const wires: Readonly<Record<WireName, VendorWire>> = Object.freeze({
  openai: openaiWire,
  responses: responsesWire,
  anthropic: anthropicWire,
  gemini: geminiWire,
});

export interface Vendor {
  /** Without a path. */
  readonly url: string;
  /** As a provider's `baseUrl` names it. */
  readonly baseUrl: string;
  readonly log: VendorLog;
  /** The next requests go so, one step each; what was left of an earlier script is forgotten. A function decides for every request. */
  script(...steps: readonly Step[] | readonly [(request: SeenRequest) => Step]): void;
  /** Forgets what was seen. */
  clear(): void;
  /** Resolves when so many answers were asked for, or at once if they were. */
  waitForAsked(count: number): Promise<void>;
  /** Resolves when nothing is being answered any more. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export interface VendorWishes {
  readonly wire: WireName;
  readonly script?: readonly Step[] | ((request: SeenRequest) => Step);
  readonly port?: number;
  readonly models?: readonly string[];
  /** Only these are taken; absent: any, or none. */
  readonly keys?: readonly string[];
  /** USD per million tokens. */
  readonly price?: { readonly prompt: number; readonly completion: number };
  /** Says what each answer cost, in the usage where the wire has a place. */
  readonly saysCost?: boolean;
  /** Bills what it received; absent: it has no such paths. */
  readonly bills?: BillWishes;
  /** PEM: serves TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export const standInText = "Hello from the stand-in vendor.";

export async function startVendor(wishes: VendorWishes): Promise<Vendor> {
  const wire = wires[wishes.wire];
  const { models = ["stand-in"], price = { prompt: 1, completion: 2 } } = wishes;
  const requests: SeenRequest[] = [];
  let connections = 0;
  let steps: Step[] = [];
  let decide: ((request: SeenRequest) => Step) | null = null;
  let waiting: (() => boolean)[] = [];
  const changed = () => {
    waiting = waiting.filter((isDone) => !isDone());
  };
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        const done = condition();
        if (done) resolve();
        return done;
      };
      if (!look()) waiting.push(look);
    });
  const asked = () => requests.filter((request) => request.counted !== null);
  const play = (next: readonly Step[] | ((request: SeenRequest) => Step)) => {
    decide = typeof next === "function" ? next : null;
    steps = typeof next === "function" ? [] : [...next];
  };
  play(wishes.script ?? []);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://vendor");
    const body = await bodyOf(request);
    const seen: SeenRequest = {
      atMs: wishes.bills?.now() ?? Date.now(),
      method: request.method ?? "",
      path: `${url.pathname}${url.search}`,
      headers: request.headers as SeenRequest["headers"],
      body,
      status: 0,
      fate: "open",
      framesSent: 0,
      counted: null,
      costUsd: 0,
    };
    requests.push(seen);
    response.once("close", () => {
      if (seen.fate === "open") seen.fate = "left";
      changed();
    });
    const json = (status: number, value: object, headers: object = {}) => {
      seen.status = status;
      seen.fate = "whole";
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
    };
    const bill = wishes.bills === undefined ? null : billReply(url, wire.keyOf(seen.headers), requests, wishes.bills);
    if (bill !== null) {
      json(bill.status, bill.body, bill.headers);
      return;
    }
    if (!url.pathname.startsWith(`${wire.basePath}/`)) {
      // As most vendors do outside their API: a page.
      seen.status = 404;
      seen.fate = "whole";
      response.writeHead(404, { "content-type": "text/html" }).end("<!doctype html><title>Not found</title>");
      return;
    }
    const path = decodeURIComponent(url.pathname.slice(wire.basePath.length));
    if (wishes.keys !== undefined && !wishes.keys.includes(wire.keyOf(seen.headers) ?? "")) {
      json(401, wire.failure(401, "invalid_api_key", null, "Incorrect API key provided."));
      return;
    }
    if (request.method === "GET" && path === "/models") {
      json(200, wire.models(models));
      return;
    }
    if (wire.name === "anthropic" && path === "/messages/count_tokens") {
      json(200, { input_tokens: promptTokens(wire.promptOf(body)) });
      return;
    }
    const asks = request.method === "POST" ? wire.asks(path, url.searchParams, body) : null;
    if (asks === null) {
      json(404, wire.failure(404, null, null, `Invalid URL (${request.method} ${url.pathname})`));
      return;
    }
    seen.counted = { prompt: 0, cached: 0, cacheWrite5m: 0, cacheWrite1h: 0, completion: 0, reasoning: 0 };
    const step = decide?.(seen) ?? steps.shift() ?? {};
    changed();
    const headers = {
      [wire.requestIdHeader]: `up_${requests.length}`,
      ...wire.rateHeaders({ requests: 500 - requests.length, tokens: 190_000 }),
      ...step.headers,
    };
    if (!models.includes(asks.model) && step.fault === undefined) {
      const message = `The model \`${asks.model}\` does not exist.`;
      json(404, wire.failure(404, "model_not_found", null, message), headers);
      return;
    }
    const { reply, counted, costUsd } = compose(step, asks.model, body, `ans_${requests.length}`);
    if (step.fault?.kind !== "status") {
      seen.counted = counted;
      seen.costUsd = costUsd;
    }
    await send({ wire, step, reply, seen, response, body, headers, stream: asks.stream, query: url.searchParams });
  };

  function compose(step: Step, model: string, body: Body, id: string) {
    const isText = wire.makesText?.(body) ?? true;
    const textPieces = isText ? pieces(step.text ?? (step.toolCalls === undefined ? standInText : "")) : [];
    const reasoningPieces = pieces(step.reasoning ?? "");
    const calls = (step.toolCalls ?? []).map((call, index) => ({
      id: call.id ?? `call_${id}_${index}`,
      name: call.name,
      arguments: call.arguments,
      pieces: pieces(call.arguments),
    }));
    const callTokens = calls.reduce((sum, call) => sum + call.pieces.length + 1, 0);
    const counted: Counted = {
      prompt: promptTokens(wire.promptOf(body)),
      cached: 0,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
      completion: textPieces.length + reasoningPieces.length + callTokens,
      reasoning: reasoningPieces.length,
    };
    const costUsd = (counted.prompt * price.prompt + counted.completion * price.completion) / 1e6;
    const zero: Counted = { prompt: 0, cached: 0, cacheWrite5m: 0, cacheWrite1h: 0, completion: 0, reasoning: 0 };
    const usage = step.usage === "absent" ? null : step.usage === "zero" ? zero : { ...counted, ...step.usage };
    const finish = step.finish ?? (calls.length > 0 ? "tool-calls" : "stop");
    const saidCost = step.costUsd ?? (wishes.saysCost === true ? costUsd : null);
    const reply: Reply = { id, model, textPieces, reasoningPieces, calls, finish, usage, costUsd: saidCost };
    return { reply, counted, costUsd };
  }

  const listener: RequestListener = (request, response) => {
    answer(request, response).catch(() => response.destroy());
  };
  const server = wishes.tls === undefined ? createServer(listener) : createTlsServer(wishes.tls, listener);
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(wishes.port ?? 0, "127.0.0.1", done);
  });
  const scheme = wishes.tls === undefined ? "http" : "https";
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    baseUrl: url + wire.basePath,
    log: {
      get connections() {
        return connections;
      },
      requests,
      get asked() {
        return asked();
      },
    },
    script: (...next) => {
      const [first] = next;
      play(typeof first === "function" ? first : (next as readonly Step[]));
    },
    clear: () => {
      requests.length = 0;
      connections = 0;
    },
    waitForAsked: (count) => until(() => asked().length >= count),
    settled: () => until(() => requests.every(({ fate }) => fate !== "open")),
    stop: async () => {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Largest body that is read. */
const mostBodyBytes = 64 * 1024 ** 2;

async function bodyOf(request: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += (part as Buffer).length;
    if (bytes > mostBodyBytes) throw new Error("the body is too large");
    parts.push(part as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8")) as Body;
  } catch {
    return {};
  }
}
