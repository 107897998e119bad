/**
 * Reads one answer of a provider into events: frames or one piece, each awaited no longer than it may take, and read only as fast
 * as the events are taken. Ends with exactly one end event, whatever the other side does. Runs in the server process.
 */
import type { AnswerDecoder } from "../../dialects/called.ts";
import { createFrameReader } from "../../dialects/sse-frames.ts";
import { type ChatEvent, type ChatRequest, isEnd } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";
import { noTimings } from "../../domain/usage.ts";
import { type Answer, type CallControl, finishBody, headerOf, readText } from "./call.ts";
import type { CloudSettings } from "./settings.ts";
import { brokeOff, describeType, mediaType, notAnAnswer, tooLate } from "./wire-failures.ts";

/** One frame may carry a picture; more than this is no frame. */
const mostFrameBytes = 16 * 1024 ** 2;
const mostWholeBytes = 64 * 1024 ** 2;

export interface BodyReading {
  readonly answer: Answer;
  readonly settings: CloudSettings;
  readonly control: CallControl;
  readonly clock: Clock;
}

export interface Reading extends BodyReading {
  readonly decoder: AnswerDecoder;
  readonly request: ChatRequest;
}

/** Never throws. */
export async function* readAnswer(reading: Reading): AsyncGenerator<ChatEvent> {
  const { answer, decoder, request } = reading;
  try {
    const type = headerOf(answer, "content-type");
    const events =
      mediaType(type) === "text/event-stream" && request.stream ? readFrames(reading) : readOnePiece(reading, type);
    for await (const event of events) {
      yield event;
      if (isEnd(event)) return;
    }
    throw notAnAnswer(reading.settings.provider.title, "it has no end");
  } catch (thrown) {
    const upstream = decoder.used();
    yield {
      type: "failed",
      failure: asUpstreamFailure(reading, thrown),
      usage: upstream.usage,
      upstream,
      timings: noTimings,
    };
  }
}

async function* readFrames({ answer, decoder, settings, control, clock }: Reading): AsyncGenerator<ChatEvent> {
  const { title } = settings.provider;
  const { idleMs } = settings.timeouts;
  let events: ChatEvent[] = [];
  const reader = createFrameReader((frame) => void events.push(...decoder.frame(frame)), { mostBytes: mostFrameBytes });
  /** Monotonic; null: nothing is waited for. Only our own waiting counts: a client that reads slowly is not the provider's silence. */
  let waitingSinceMs: number | null = null;
  // One timer for the whole stream: a piece only notes the time.
  const look = () => {
    const leftMs = waitingSinceMs === null ? idleMs : waitingSinceMs + idleMs - clock.monotonicMs();
    if (leftMs <= 0) control.abort(tooLate(title, idleMs, "went on"));
    else cancel = clock.after(leftMs, look);
  };
  let cancel = clock.after(idleMs, look);
  try {
    for (;;) {
      waitingSinceMs = clock.monotonicMs();
      const piece = await answer.body.next();
      waitingSinceMs = null;
      if (piece === null) reader.end();
      else reader.push(piece);
      const ready = events;
      events = [];
      // Not `yield*`, which makes an iterator and more promises for each of them.
      for (const event of ready) yield event;
      if (piece === null) break;
    }
    for (const event of decoder.ended()) yield event;
  } finally {
    cancel();
    void finishBody(answer, clock);
  }
}

async function* readOnePiece(
  { answer, decoder, request, settings, control, clock }: Reading,
  type: string | null,
): AsyncGenerator<ChatEvent> {
  const { title } = settings.provider;
  const text = await readBody({ answer, settings, control, clock }, type);
  const events = decoder.whole(text);
  // An error under 200 comes so, whatever was asked for; an answer does not.
  if (request.stream && !events.some(({ type: kind }) => kind === "failed")) {
    throw notAnAnswer(title, "it came in one piece where a stream was asked for");
  }
  for (const event of events) yield event;
}

/** An answer in one piece, as JSON text. Throws a Failure, or what the connection throws. */
export async function readBody(
  { answer, settings, control, clock }: BodyReading,
  type: string | null,
): Promise<string> {
  const { title } = settings.provider;
  const { wholeMs } = settings.timeouts;
  if (!isJson(type)) throw notAnAnswer(title, describeType(type));
  const cancel = clock.after(wholeMs, () => control.abort(tooLate(title, wholeMs, "ended")));
  const { text, isWhole } = await readText(answer, mostWholeBytes).finally(cancel);
  if (!isWhole) throw notAnAnswer(title, "it is too long");
  return text;
}

/** `application/json`, `application/problem+json`. */
function isJson(type: string | null): boolean {
  return /^application\/([\w.-]+\+)?json$/.test(mediaType(type));
}

export function asUpstreamFailure({ control, settings }: BodyReading, thrown: unknown): Failure {
  const { isAborted, reason } = control;
  if (isAborted && reason instanceof Failure) return reason;
  return brokeOff(settings.provider.title, thrown);
}
