/**
 * One line of a batch as one request: body → request → answer → the body a client of that endpoint would have got. Runs in the server.
 * It goes the way every request goes, through the spine, so it has its row, its price and its plan. Beside `http/chat-route.ts`.
 */
import type { BatchEndpoint } from "../dialects/openai-batch/lines.ts";
import { dialects, wholeDialects } from "../dialects/index.ts";
import type { Dialect } from "../dialects/dialect.ts";
import type { RateLimits, Pass } from "../access/rate-limits.ts";
import { type ChatEvent, type EndEvent, isEnd } from "../domain/chat.ts";
import type { Vectors, WholeEvent } from "../domain/embedding.ts";
import { failureOf, noEnd } from "../domain/end.ts";
import { asFailure, type Failure } from "../domain/failure.ts";
import type { RateLeft } from "../domain/rate.ts";
import { estimatedPromptTokens } from "../domain/prompt-estimate.ts";
import { noUsage, type Usage } from "../domain/usage.ts";
import type { Inference, RequestFacts } from "../inference.ts";

export interface LineResult {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
  readonly usage: Usage;
  /** Null: asking again would not help. */
  readonly retryAfterSeconds: number | null;
}

export interface AskPorts {
  readonly inference: Pick<Inference, "chat" | "embed" | "refuse">;
  readonly rateLimits: Pick<RateLimits, "enter" | "state">;
  readonly engineBuild: string;
}

/** No room in the caller's own limits: it leaves no row, and is no try. */
export interface NoRoomYet {
  readonly waitMs: number;
}

const dialectOf: Readonly<Record<Exclude<BatchEndpoint, "/v1/embeddings">, Dialect>> = Object.freeze({
  "/v1/chat/completions": dialects["openai-chat"],
  "/v1/completions": dialects["openai-completions"],
  "/v1/responses": dialects["openai-responses"],
  "/v1/messages": dialects["anthropic-messages"],
});

/** Never throws. Null: the signal aborted before there was an answer. */
export async function askLine(
  endpoint: BatchEndpoint,
  body: Readonly<Record<string, unknown>>,
  facts: RequestFacts,
  ports: AskPorts,
  signal: AbortSignal,
): Promise<LineResult | NoRoomYet | null> {
  const encoding = endpoint === "/v1/embeddings" ? wholeDialects["openai-embeddings"] : dialectOf[endpoint];
  let pass: Pass | null = null;
  try {
    const waitMs = waitOf(ports.rateLimits.state(facts.caller).requests);
    if (waitMs !== null) return { waitMs };
    const entered = await ports.rateLimits.enter(facts.caller, () => signal);
    pass = entered;
    return endpoint === "/v1/embeddings"
      ? await embedded(body, facts, ports, entered, signal)
      : await chatted(dialectOf[endpoint], body, facts, ports, entered, signal);
  } catch (thrown) {
    if (signal.aborted) return null;
    const failure = asFailure(thrown);
    if (failure.code === "rate_limited") return { waitMs: (failure.retryAfterSeconds ?? 5) * 1_000 };
    return refusedBy(failure, encoding, facts.requestId);
  } finally {
    pass?.leave();
  }
}

/** Until the next request has room; null: there is some, or no such limit. */
function waitOf(left: RateLeft | null): number | null {
  if (left === null || left.remaining > 0) return null;
  return Math.max(250, Math.ceil(left.resetMs / Math.max(1, left.limit)));
}

function refusedBy(failure: Failure, encoding: Pick<Dialect, "encodeFailure">, requestId: string): LineResult {
  const { status, body } = encoding.encodeFailure(failure, requestId);
  // A limit, a queue, a model that is just now not to be had: none of it says anything about the line.
  const passes = status === 429 || status === 503;
  return { status, body, usage: noUsage, retryAfterSeconds: passes ? (failure.retryAfterSeconds ?? 5) : null };
}

/** What cannot be read never reaches the spine, so its row is written here. */
async function decoded<Decoded>(
  decode: () => Decoded,
  body: Readonly<Record<string, unknown>>,
  facts: RequestFacts,
  { inference }: AskPorts,
): Promise<Decoded> {
  try {
    return decode();
  } catch (thrown) {
    const failure = asFailure(thrown);
    await inference.refuse(
      { ...facts, alias: typeof body.model === "string" ? body.model : null, stream: false },
      failure,
    );
    throw failure;
  }
}

/** The events up to a finish, with it as the last. What they used is settled. Throws what any other end says. */
async function finished<Event extends { readonly type: string }>(
  events: AsyncIterable<Event | EndEvent>,
  pass: Pass,
  signal: AbortSignal,
): Promise<{ readonly seen: readonly (Event | EndEvent)[]; readonly end: EndEvent }> {
  const seen: (Event | EndEvent)[] = [];
  try {
    for await (const event of events) {
      seen.push(event);
      if (!isEnd(event)) continue;
      pass.settle(event.usage.promptTokens + event.usage.completionTokens);
      const failure = failureOf(event, signal);
      if (failure !== null) throw failure;
      return { seen, end: event };
    }
  } finally {
    pass.settle(0);
  }
  throw noEnd();
}

async function chatted(
  dialect: Dialect,
  body: Readonly<Record<string, unknown>>,
  asked: RequestFacts,
  ports: AskPorts,
  pass: Pass,
  signal: AbortSignal,
): Promise<LineResult> {
  const facts = { ...asked, dialect: dialect.id };
  const request = await decoded(() => dialect.decodeChat(body), body, facts, ports);
  await pass.reserve(() => estimatedPromptTokens(request), request.model);
  const encoder = dialect.chatEncoder(request, {
    requestId: facts.requestId,
    createdAtS: Math.floor(facts.startedAtMs / 1_000),
    model: request.model,
    fingerprint: ports.engineBuild,
  });
  const { seen, end } = await finished<ChatEvent>(ports.inference.chat({ ...facts, request }, signal), pass, signal);
  return { status: 200, body: encoder.whole(seen), usage: end.usage, retryAfterSeconds: null };
}

async function embedded(
  body: Readonly<Record<string, unknown>>,
  asked: RequestFacts,
  ports: AskPorts,
  pass: Pass,
  signal: AbortSignal,
): Promise<LineResult> {
  const dialect = wholeDialects["openai-embeddings"];
  const facts = { ...asked, dialect: dialect.id };
  const call = await decoded(() => dialect.decode(body), body, facts, ports);
  await pass.reserve(() => call.estimatedTokens, call.request.model);
  const events = ports.inference.embed({ ...facts, request: call.request }, signal);
  const { seen, end } = await finished<WholeEvent<Vectors>>(events, pass, signal);
  const given = seen.find((event) => event.type === "result");
  if (given === undefined) throw noEnd();
  const encoded = call.encode(given.result, end.usage, end.timings);
  return { status: 200, body: encoded, usage: end.usage, retryAfterSeconds: null };
}
