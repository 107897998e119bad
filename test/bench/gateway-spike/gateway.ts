/**
 * The spike of the gateway's hot path, a process of its own: a plain node:http handler, key, limits, the product's own
 * reading of the body, a ledger row that is committed before the client has its answer, and one pooled undici hop.
 * It exists to learn early what this path costs; the product's gateway is built from the same pieces.
 *
 * Started as `node gateway.ts <port> <upstream origin> <ledger file>`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool } from "undici";
import { z } from "zod";
import { openaiChat } from "../../../server/dialects/openai-chat/openai-chat.ts";
import { asFailure, Failure } from "../../../server/domain/failure.ts";
import type { ChatRequest } from "../../../server/domain/chat.ts";
import { noTimings, noUsage, type Usage } from "../../../server/domain/usage.ts";
import { hashKey } from "../../../server/ledger/keys.ts";
import { openLedger } from "../../../server/ledger/ledger.ts";
import { systemClock as clock } from "../../../server/platform/clock.ts";
import { newRequestId } from "../../../server/platform/ids.ts";
import { createLog } from "../../../server/platform/log.ts";
import { createLimits } from "./limits.ts";

const [port = "0", upstreamOrigin = "", ledgerFile = ""] = process.argv.slice(2);
const bodyLimitBytes = 1024 * 1024;

const ledger = openLedger(ledgerFile, { clock, log: createLog({ level: "warn" }) });
const upstream = new Pool(upstreamOrigin, { connections: 64, pipelining: 1 });
const limits = createLimits({ perSecond: 100_000, mostInFlight: 256 });
/** Keys are known by their hash only, as in the product. */
const callers = new Map([[Buffer.from(hashKey("stub-key")).toString("base64"), { id: null, name: "bench" }]]);

const answerSchema = z.object({
  choices: z.array(z.object({ finish_reason: z.string().nullish() })),
  usage: z.object({
    prompt_tokens: z.int(),
    completion_tokens: z.int(),
    prompt_tokens_details: z.object({ cached_tokens: z.int().nullish() }).nullish(),
    completion_tokens_details: z.object({ reasoning_tokens: z.int().nullish() }).nullish(),
  }),
});

const server = createServer((request, response) => {
  if (request.method !== "POST" || request.url !== "/v1/chat/completions") {
    request.resume();
    response.writeHead(request.method === "GET" ? 200 : 404).end();
    return;
  }
  answer(request, response).catch((thrown: unknown) => sendFailure(response, asFailure(thrown)));
});
server.listen(Number(port), "127.0.0.1");
process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  void Promise.all([upstream.destroy(), ledger.close()]);
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const startedMs = clock.monotonicMs();
  const key = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  const caller = callers.get(Buffer.from(hashKey(key)).toString("base64"));
  if (caller === undefined) throw new Failure("unknown_key", "This key is not known.");
  const waitSeconds = limits.enter(caller.name, startedMs);
  if (waitSeconds > 0) throw new Failure("rate_limited", "Too many requests.", { retryAfterSeconds: waitSeconds });
  try {
    const body = await readBody(request);
    const chat = openaiChat.decodeChat(JSON.parse(body.toString("utf8")));
    await forward(chat, body, caller, startedMs, response);
  } finally {
    limits.leave(caller.name);
  }
}

async function forward(
  chat: ChatRequest,
  body: Buffer,
  caller: { readonly id: number | null; readonly name: string },
  startedMs: number,
  response: ServerResponse,
): Promise<void> {
  const id = newRequestId();
  ledger.writer.openRequest({
    id,
    startedAtMs: clock.now(),
    callerKind: "key",
    keyId: caller.id,
    callerName: caller.name,
    dialect: openaiChat.id,
    alias: chat.model,
    stream: chat.stream,
  });
  ledger.writer.openAttempt({ requestId: id, number: 1, target: "cloud/stub", reason: "only-target", offsetMs: 0 });
  let usage: Usage = noUsage;
  let status: "done" | "failed" = "failed";
  let bytes: Buffer | null = null;
  try {
    const reply = await upstream.request({
      path: "/v1/chat/completions",
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer stub-key" },
      body,
    });
    bytes = Buffer.from(await reply.body.arrayBuffer());
    if (reply.statusCode !== 200) throw new Failure("model_unavailable", "The upstream refused.");
    const counted = answerSchema.parse(JSON.parse(bytes.toString("utf8"))).usage;
    usage = {
      promptTokens: counted.prompt_tokens,
      cachedTokens: counted.prompt_tokens_details?.cached_tokens ?? 0,
      completionTokens: counted.completion_tokens,
      reasoningTokens: counted.completion_tokens_details?.reasoning_tokens ?? 0,
    };
    status = "done";
  } finally {
    const durationMs = clock.monotonicMs() - startedMs;
    const failureCode = status === "done" ? null : "model_unavailable";
    const cost = { known: false, reason: "not_priced" } as const;
    const measured = { status, failureCode, durationMs, usage, timings: noTimings, cost } as const;
    ledger.writer.closeAttempt({ requestId: id, number: 1, ...measured });
    await ledger.writer.closeRequest({
      id,
      finishReason: status === "done" ? "stop" : null,
      ttftMs: status === "done" ? durationMs : null,
      ...measured,
    });
  }
  response
    .writeHead(200, {
      "content-type": openaiChat.contentType.whole,
      "content-length": bytes.length,
      "x-request-id": id,
      "x-lanthorn-target": "cloud/stub",
    })
    .end(bytes);
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > bodyLimitBytes) reject(new Failure("payload_too_large", "The body is too large."));
      else chunks.push(chunk);
    });
    request.once("end", () => resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)));
    request.once("error", reject);
  });
}

function sendFailure(response: ServerResponse, failure: Failure): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const wire = openaiChat.encodeFailure(failure);
  response.writeHead(wire.status, { "content-type": "application/json", ...wire.headers }).end(wire.body);
}
