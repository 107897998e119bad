/** What a stand-in vendor's wire shape is: an answer in pieces or in one, errors, models; and how all of them count. */
import type { ScriptedCall, Step, WireName } from "./script.ts";

export interface Frame {
  readonly event: string | null;
  readonly data: string;
}

/** What was decided about one answer, the same for every wire. */
export interface Reply {
  readonly id: string;
  readonly model: string;
  /** One per token, as this vendor counts. */
  readonly textPieces: readonly string[];
  readonly reasoningPieces: readonly string[];
  readonly calls: readonly (Required<ScriptedCall> & { readonly pieces: readonly string[] })[];
  readonly finish: NonNullable<Step["finish"]>;
  /** Null: the vendor says nothing about usage. */
  readonly usage: Counted | null;
  /** USD; null: not said. */
  readonly costUsd: number | null;
}

export interface Counted {
  readonly prompt: number;
  readonly cached: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly completion: number;
  readonly reasoning: number;
}

export interface VendorWire {
  readonly name: WireName;
  /** Behind the vendor's address: what a provider's base URL ends with. */
  readonly basePath: string;
  readonly contentType: string;
  /** Whether a path (behind the base) asks for an answer, and whether a streamed one; null: it asks for something else. */
  asks(path: string, query: URLSearchParams, body: Body): { readonly model: string; readonly stream: boolean } | null;
  /** What the prompt is made of, for counting. */
  promptOf(body: Body): unknown;
  /** `wantsUsage` is what the body asked for where that has to be asked. */
  frames(reply: Reply, body: Body): readonly Frame[];
  whole(reply: Reply, body: Body): object;
  /** Whether it answers with text at all: vectors and scores have no tokens. Absent: it does. */
  makesText?(body: Body): boolean;
  /** Ends a stream; empty: its last frame does. */
  readonly terminator: string;
  failure(status: number, code: string | null, type: string | null, message: string): object;
  errorFrame(message: string): Frame;
  models(ids: readonly string[]): object;
  /** The key as this vendor's clients send it; null: none. */
  keyOf(headers: Readonly<Record<string, string | undefined>>): string | null;
  rateHeaders(left: { readonly requests: number; readonly tokens: number }): Readonly<Record<string, string>>;
  readonly requestIdHeader: string;
}

export type Body = Readonly<Record<string, unknown>>;

/** A token here is up to four characters. */
export function pieces(text: string): readonly string[] {
  return text.match(/[\s\S]{1,4}/gu) ?? [];
}

/** A prompt has a token per four bytes of its JSON. */
export function promptTokens(prompt: unknown): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(JSON.stringify(prompt ?? "")) / 4));
}

export function bearer(headers: Readonly<Record<string, string | undefined>>): string | null {
  return /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? null;
}

export function frame(data: object, event: string | null = null): Frame {
  return { event, data: JSON.stringify(data) };
}

export function frameText({ event, data }: Frame): string {
  return `${event === null ? "" : `event: ${event}\n`}data: ${data}\n\n`;
}

/** OpenAI's headers, which most others send too. */
export function openaiRateHeaders(left: {
  readonly requests: number;
  readonly tokens: number;
}): Record<string, string> {
  return {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": String(left.requests),
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "200000",
    "x-ratelimit-remaining-tokens": String(left.tokens),
    "x-ratelimit-reset-tokens": "6m0s",
  };
}

/** OpenAI's error body. */
export function openaiFailure(status: number, code: string | null, type: string | null, message: string): object {
  const kind = type ?? (status >= 500 ? "server_error" : status === 429 ? "requests" : "invalid_request_error");
  return { error: { message, type: kind, param: null, code } };
}
