/**
 * One chat request over HTTP: body → request → events → bytes. Runs in the server. The dialect knows the wire shape, the
 * spine (`server/inference.ts`) runs the request and writes its row; here is only what HTTP adds: when to commit to a
 * status, signs of life, a client that leaves, a client that is slow, a box that stops.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { ChatEncoder, Dialect } from "../dialects/dialect.ts";
import type { Caller } from "../domain/caller.ts";
import { type ChatEvent, type ChatRequest, isEnd } from "../domain/chat.ts";
import { failureOf, noEnd } from "../domain/end.ts";
import { asFailure, type Failure } from "../domain/failure.ts";
import { estimatedPromptTokens } from "../domain/prompt-estimate.ts";
import { admit, type InferenceParts, leaveWhenClosed, setTargetHeader, targetHeader } from "./admission.ts";
import type { HttpDeps } from "./deps.ts";
import type { Flight } from "./in-flight.ts";
import { passRateGate, type RateGate } from "./rate-gate.ts";
import type { Exchange } from "./route.ts";
import { sendFailure, sendText } from "./send.ts";
import { limitWhole } from "./whole-limit.ts";
import { createStreamWriter } from "./stream-writer.ts";

export type ChatRouteParts = InferenceParts;

/** What one answer needs, besides the parts every answer shares. */
interface Answer {
  readonly exchange: Exchange;
  readonly dialect: Dialect;
  readonly request: ChatRequest;
  readonly encoder: ChatEncoder;
  readonly flight: Flight;
  readonly events: AsyncIterable<ChatEvent>;
}

export function chatRoute(dialect: Dialect, parts: ChatRouteParts) {
  const { deps } = parts;
  const asked = { id: dialect.id, decode: (body: unknown) => dialect.decodeChat(body) };

  return async (exchange: Exchange, caller: Caller): Promise<void> => {
    const gate = await passRateGate(deps.rateLimits, dialect, exchange, caller);
    try {
      await answer(exchange, caller, gate);
    } finally {
      gate.leave();
    }
  };

  async function answer(exchange: Exchange, caller: Caller, gate: RateGate): Promise<void> {
    const { requestId, startedAtMs } = exchange;
    const { decoded, flight, wishes, notes } = await admit(exchange, caller, asked, parts);
    const request = withHeaders(decoded, dialect, exchange.request.headers);
    const encoder = dialect.chatEncoder(request, {
      requestId,
      createdAtS: Math.floor(startedAtMs / 1000),
      model: request.model,
      fingerprint: deps.engineBuild,
    });
    leaveWhenClosed(exchange, flight);
    try {
      await gate.reserve(() => estimatedPromptTokens(request), request.model);
      const session = sessionOf(exchange.request.headers);
      const input = { requestId, caller, dialect: dialect.id, request, session, startedAtMs, wishes, notes };
      const answer = {
        exchange,
        dialect,
        request,
        encoder,
        flight,
        events: gate.metered(deps.inference.chat(input, flight.signal)),
      };
      await (request.stream ? answerStream(answer, parts) : answerWhole(answer, parts));
    } finally {
      flight.land();
    }
  }
}

/** A header this long means nothing any more. */
const longestHeader = 2_000;

/** The body with the headers that say how it is meant, for an upstream of the same wire shape. */
function withHeaders(request: ChatRequest, dialect: Dialect, headers: IncomingHttpHeaders): ChatRequest {
  if (request.wire === undefined || dialect.requestHeaders === undefined) return request;
  const said: Record<string, string> = {};
  for (const name of dialect.requestHeaders) {
    const value = headers[name];
    if (typeof value === "string" && value !== "" && value.length <= longestHeader) said[name] = value;
  }
  return { ...request, wire: { ...request.wire, headers: said } };
}

/** Headers in which agents say which of their requests belong together: opencode sends the first two, Codex the third. */
const sessionHeaders = ["x-session-affinity", "x-session-id", "session-id"] as const;
/** Characters; longer ones are cut, they only have to be told apart. */
const longestSession = 200;

function sessionOf(headers: IncomingHttpHeaders): string | null {
  for (const name of sessionHeaders) {
    const value = headers[name];
    if (typeof value === "string" && value !== "") return value.slice(0, longestSession);
  }
  return null;
}

async function answerStream(answer: Answer, parts: ChatRouteParts): Promise<void> {
  const { exchange, dialect, encoder, flight, events } = answer;
  const { deps, timing } = parts;
  const { response, requestId } = exchange;
  const writer = createStreamWriter({
    response,
    contentType: dialect.contentType.stream,
    lateHeaders: () => targetHeader(deps, requestId),
    keepAlive: () => encoder.keepAlive?.() ?? dialect.keepAlive,
    keepAliveMs: deps.settings.keepAliveMs,
    commitMs: timing.commitMs,
    clock: deps.clock,
  });
  /** Whatever is known before the headers are out keeps its HTTP status. */
  const fail = (failure: Failure) => {
    if (writer.begun) {
      const frame = encoder.failure?.(failure) ?? dialect.failureFrame(failure);
      writer.end(frame + encoder.close(deps.inference.closing(requestId)));
      return;
    }
    writer.abandon();
    setTargetHeader(deps, exchange);
    sendFailure(response, dialect, failure);
  };
  try {
    for await (const event of events) {
      if (!isEnd(event)) {
        writer.write(encoder.frames(event));
        const caughtUp = writer.caughtUp();
        if (caughtUp !== null) await caughtUp;
        continue;
      }
      const failure = failureOf(event, flight.signal);
      if (failure !== null) fail(failure);
      else writer.end(encoder.frames(event) + encoder.close(deps.inference.closing(requestId)));
      return;
    }
    fail(noEnd());
  } catch (thrown) {
    const failure = asFailure(thrown);
    logInternal(deps, requestId, failure);
    fail(failure);
  } finally {
    writer.abandon();
  }
}

async function answerWhole(answer: Answer, parts: ChatRouteParts): Promise<void> {
  const { exchange, dialect, encoder, flight, events } = answer;
  const { deps } = parts;
  const seen: ChatEvent[] = [];
  const lift = limitWhole(exchange, flight, parts, "chat");
  try {
    for await (const event of events) {
      seen.push(event);
      if (!isEnd(event)) continue;
      setTargetHeader(deps, exchange);
      const failure = failureOf(event, flight.signal);
      if (failure !== null) sendFailure(exchange.response, dialect, failure);
      else sendText(exchange.response, 200, dialect.contentType.whole, encoder.whole(seen));
      return;
    }
    throw noEnd();
  } finally {
    lift();
  }
}

function logInternal(deps: Pick<HttpDeps, "log">, requestId: string, failure: Failure): void {
  if (failure.code === "internal") deps.log.error({ requestId, error: failure.cause }, "a request failed inside");
}
