/**
 * The contract of a wire shape we serve. Pure: bytes and objects in, requests and frames out; no I/O and no clock.
 * One suite in `test/contracts/` runs over the registry in `index.ts`.
 */
import type { ChatEvent, ChatRequest } from "../domain/chat.ts";
import type { Failure } from "../domain/failure.ts";
import type { Cost, Nanos } from "../domain/money.ts";
import type { ServedModel } from "../domain/model.ts";
import type { RateState } from "../domain/rate.ts";

/** What the encoder needs to know that is not in the events. */
export interface ReplyFacts {
  readonly requestId: string;
  /** Epoch seconds. */
  readonly createdAtS: number;
  /** The alias the client asked for, echoed as it wrote it. */
  readonly model: string;
  /** Names the build that answered: with the same one, the same seed gives the same answer. */
  readonly fingerprint: string;
}

/** Known when the request has ended; goes into the closing comment of a stream. */
export interface ClosingFacts {
  /** `engine/lanthorn-demo`; null when no attempt was made. */
  readonly target: string | null;
  readonly cost: Cost;
  /** The part of a cost that is known, where the whole is not; absent: none is. */
  readonly knownNanos?: Nanos;
  /** What was condensed of the conversation, and by whom; absent: nothing. */
  readonly brief?: string;
  /** How a budget stands that is nearly used up, in words; absent: none is. */
  readonly budget?: string;
}

export interface WireFailure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

/** Turns one request's events into the client's frames. Holds the state of that one stream. */
export interface ChatEncoder {
  /** The frames (possibly none) one event becomes, ready to be written. `finished` yields everything but the terminator. */
  frames(event: ChatEvent): string;
  /** What closes the stream after `frames(end)`: closing comment and terminator. No terminator after a failure. */
  close(closing: ClosingFacts): string;
  /** The whole answer as one JSON text, for a client that did not ask for a stream. Call once, with all events. */
  whole(events: readonly ChatEvent[]): string;
  /** Instead of the dialect's `keepAlive`, where signs of life are counted or something must be said before them. */
  keepAlive?(): string;
  /** Instead of the dialect's `failureFrame`, where the frame depends on what was said before. */
  failure?(failure: Failure): string;
}

export interface Dialect {
  readonly id: string;
  readonly contentType: { readonly stream: string; readonly whole: string };
  /** `unknown` is a parsed JSON body. Throws Failure `invalid_request` with `param`. */
  decodeChat(body: unknown): ChatRequest;
  chatEncoder(request: ChatRequest, facts: ReplyFacts): ChatEncoder;
  /** `requestId`: for shapes that say it in the body. */
  encodeFailure(failure: Failure, requestId?: string): WireFailure;
  /** The error frame inside a stream that has already begun. */
  failureFrame(failure: Failure): string;
  /** What is left of the caller's limits, where this dialect has headers for it. `nowMs`: epoch milliseconds. */
  rateHeaders?(state: RateState, nowMs: number): Readonly<Record<string, string>>;
  /** Under which name its clients look for the request's id, besides `x-request-id`. */
  readonly requestIdHeader?: string;
  /** Lower-case names of the client's headers that say how its body is meant: they are kept with it in `wire`. */
  readonly requestHeaders?: readonly string[];
  /** Bytes that keep the connection busy and that every client of this dialect ignores. */
  readonly keepAlive: string;
  encodeModels(models: readonly ServedModel[]): string;
  encodeModel(model: ServedModel): string;
}
