/**
 * One chat request over HTTP: body → request → events → bytes. Runs in the server. The dialect knows the wire shape, the
 * spine (`server/inference.ts`) runs the request and writes its row; here is only what HTTP adds: when to commit to a
 * status, signs of life, a client that leaves, a client that is slow, a box that stops.
 */
import type { IncomingHttpHeaders } from "node:http";
import { targetText } from "../dialects/closing-comment.ts";
import type { ChatEncoder, Dialect } from "../dialects/dialect.ts";
import type { Caller } from "../domain/caller.ts";
import { type ChatEvent, type ChatRequest, type EndEvent, isEnd } from "../domain/chat.ts";
import { asFailure, Failure } from "../domain/failure.ts";
import { estimatedPromptTokens } from "../domain/prompt-estimate.ts";
import { readJson } from "./body.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { HttpDeps, HttpTiming } from "./deps.ts";
import type { Flight, InFlight } from "./in-flight.ts";
import { passRateGate, type RateGate } from "./rate-gate.ts";
import type { Exchange } from "./route.ts";
import { sendFailure, sendText } from "./send.ts";
import { createStreamWriter } from "./stream-writer.ts";

export interface ChatRouteParts {
  readonly deps: Pick<HttpDeps, "inference" | "rateLimits" | "settings" | "clock" | "log" | "engineBuild">;
  readonly timing: HttpTiming;
  readonly inFlight: InFlight;
  readonly bodyBudget: BodyBudget;
}

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
  const { deps, inFlight } = parts;

  return async (exchange: Exchange, caller: Caller): Promise<void> => {
    const gate = passRateGate(deps.rateLimits, dialect, exchange, caller);
    try {
      await answer(exchange, caller, gate);
    } finally {
      gate.leave();
    }
  };

  async function answer(exchange: Exchange, caller: Caller, gate: RateGate): Promise<void> {
    const { response, requestId, startedAtMs } = exchange;
    const { request, flight } = await admit(exchange, caller);
    const encoder = dialect.chatEncoder(request, {
      requestId,
      createdAtS: Math.floor(startedAtMs / 1000),
      model: request.model,
      fingerprint: deps.engineBuild,
    });
    response.once("close", () => {
      if (!response.writableFinished) flight.leave();
    });
    if (response.destroyed) flight.leave();
    try {
      gate.reserve(() => estimatedPromptTokens(request));
      const session = sessionOf(exchange.request.headers);
      const input = { requestId, caller, dialect: dialect.id, request, session, startedAtMs };
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

  /** Reads and judges the request. What is refused here never reaches the spine, so its row is written here. */
  async function admit(exchange: Exchange, caller: Caller): Promise<{ request: ChatRequest; flight: Flight }> {
    const { request, response, requestId, startedAtMs } = exchange;
    let body: unknown;
    try {
      // Asked before the body is read, so that a box that stops does not wait for one.
      const flight = inFlight.takeOff();
      try {
        const bounds = {
          limitBytes: deps.settings.bodyLimitBytes,
          graceMs: parts.timing.bodyGraceMs,
          clock: deps.clock,
          budget: parts.bodyBudget,
        };
        body = await readJson(request, response, bounds);
        return { request: dialect.decodeChat(body), flight };
      } catch (thrown) {
        flight.land();
        throw thrown;
      }
    } catch (thrown) {
      const failure = asFailure(thrown);
      const wished = wishes(body);
      await deps.inference.refuse({ requestId, caller, dialect: dialect.id, startedAtMs, ...wished }, failure);
      throw failure;
    }
  }
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

/** What can be said of a body that was refused, for its row. */
function wishes(body: unknown): { readonly alias: string | null; readonly stream: boolean } {
  if (typeof body !== "object" || body === null) return { alias: null, stream: false };
  const alias = "model" in body && typeof body.model === "string" ? body.model : null;
  return { alias, stream: "stream" in body && body.stream === true };
}

async function answerStream(answer: Answer, parts: ChatRouteParts): Promise<void> {
  const { exchange, dialect, encoder, flight, events } = answer;
  const { deps, timing } = parts;
  const { response, requestId } = exchange;
  const writer = createStreamWriter({
    response,
    contentType: dialect.contentType.stream,
    lateHeaders: () => targetHeader(deps, requestId),
    keepAlive: dialect.keepAlive,
    keepAliveMs: deps.settings.keepAliveMs,
    commitMs: timing.commitMs,
    clock: deps.clock,
  });
  /** Whatever is known before the headers are out keeps its HTTP status. */
  const fail = (failure: Failure) => {
    if (writer.begun) {
      writer.end(dialect.failureFrame(failure) + encoder.close(deps.inference.closing(requestId)));
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
}

/** What the client is told of an end that is no finish; null for a finished answer. */
function failureOf(end: EndEvent, signal: AbortSignal): Failure | null {
  if (end.type === "finished") return null;
  if (end.type === "failed") return end.failure;
  // Aborted: because the box stops, or because the client left and nobody reads this.
  return signal.reason instanceof Failure ? signal.reason : new Failure("internal", "The request was stopped.");
}

function noEnd(): Failure {
  return new Failure("internal", "The answer ended without an end.");
}

function targetHeader(deps: Pick<HttpDeps, "inference">, requestId: string): Readonly<Record<string, string>> {
  const { target } = deps.inference.closing(requestId);
  return target === null ? {} : { "x-lanthorn-target": targetText(target) };
}

function setTargetHeader(deps: Pick<HttpDeps, "inference">, exchange: Exchange): void {
  if (exchange.response.headersSent) return;
  for (const [name, value] of Object.entries(targetHeader(deps, exchange.requestId))) {
    exchange.response.setHeader(name, value);
  }
}

function logInternal(deps: Pick<HttpDeps, "log">, requestId: string, failure: Failure): void {
  if (failure.code === "internal") deps.log.error({ requestId, error: failure.cause }, "a request failed inside");
}
