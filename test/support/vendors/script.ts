/**
 * What a stand-in vendor is told to do, one step per request: an answer, and what goes wrong with it. Plain data, so that a
 * step reads as what was seen at real vendors. A list that is used up is followed by good answers.
 */

export type WireName = "openai" | "responses" | "anthropic" | "gemini";

export interface SaidUsage {
  /** Cached ones included, whatever the wire makes of it. */
  readonly prompt?: number;
  readonly cached?: number;
  readonly cacheWrite5m?: number;
  readonly cacheWrite1h?: number;
  /** Reasoning included. */
  readonly completion?: number;
  readonly reasoning?: number;
}

export interface ScriptedCall {
  readonly id?: string;
  readonly name: string;
  /** JSON text; sent in pieces. */
  readonly arguments: string;
}

export type Fault =
  /** An HTTP status with the wire's own error body, or with `body` as it is. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly code?: string;
      readonly type?: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Takes the request and never answers. */
  | { readonly kind: "silent" }
  /** Falls silent after so many frames and holds the connection. */
  | { readonly kind: "stall"; readonly afterFrames: number }
  /** Breaks the connection after this part of the body's bytes. */
  | { readonly kind: "cut"; readonly at: number }
  /** Ends the body properly after so many frames, without the end the wire promises. */
  | { readonly kind: "ends-early"; readonly afterFrames: number }
  /** 200, and inside an error in the wire's own shape, after so many frames. */
  | { readonly kind: "error-under-200"; readonly afterFrames?: number; readonly message?: string }
  /** A page for people. */
  | { readonly kind: "html"; readonly status?: number }
  /** 200 with the wire's content type, and no JSON in it. */
  | { readonly kind: "garbage" }
  | { readonly kind: "redirect"; readonly to: string; readonly status?: number }
  /** One frame of so many bytes. */
  | { readonly kind: "huge-frame"; readonly bytes: number };

export interface Step {
  readonly text?: string;
  readonly reasoning?: string;
  readonly toolCalls?: readonly ScriptedCall[];
  readonly finish?: "stop" | "length" | "tool-calls" | "content-filter";
  /** What the vendor says instead of what it counted; `absent`: nothing, `zero`: all 0. */
  readonly usage?: SaidUsage | "absent" | "zero";
  /** USD, said where the wire has a field for it; absent: as `saysCost` of the vendor. */
  readonly costUsd?: number;
  /** Before the first byte. */
  readonly firstMs?: number;
  /** Between two frames. */
  readonly gapMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fault?: Fault;
}

/** Short words for the faults that tests need most. */
export const faults = Object.freeze({
  rateLimited: (headers: Readonly<Record<string, string>> = { "retry-after": "2" }): Fault => ({
    kind: "status",
    status: 429,
    code: "rate_limit_exceeded",
    headers,
  }),
  quota: { kind: "status", status: 429, code: "insufficient_quota", type: "insufficient_quota" },
  wrongKey: { kind: "status", status: 401, code: "invalid_api_key" },
  noCredit: { kind: "status", status: 402, code: "insufficient_balance" },
  forbidden: { kind: "status", status: 403 },
  invalid: { kind: "status", status: 400, code: "invalid_value", message: "temperature is wrong" },
  tooLong: {
    kind: "status",
    status: 400,
    code: "context_length_exceeded",
    message: "This model's maximum context length is 8192 tokens.",
  },
  noModel: { kind: "status", status: 404, code: "model_not_found" },
  broken: { kind: "status", status: 500 },
  unavailable: { kind: "status", status: 503 },
  overloaded: { kind: "status", status: 529, type: "overloaded_error" },
  silent: { kind: "silent" },
  stall: { kind: "stall", afterFrames: 2 },
  cut: { kind: "cut", at: 0.5 },
  endsEarly: { kind: "ends-early", afterFrames: 3 },
  errorUnder200: { kind: "error-under-200" },
  html: { kind: "html" },
  garbage: { kind: "garbage" },
} as const satisfies Record<string, Fault | ((headers?: Readonly<Record<string, string>>) => Fault)>);

/** By name, for `node test/support/vendors/<wire>.ts --script <name>`: every request goes so. */
export const namedSteps: Readonly<Record<string, Step>> = Object.freeze({
  good: {},
  slow: { firstMs: 500, gapMs: 100 },
  tools: { text: "", toolCalls: [{ name: "weather", arguments: '{"city":"Oslo"}' }] },
  "no-usage": { usage: "absent" },
  "zero-usage": { usage: "zero" },
  "wrong-usage": { usage: { prompt: 10, cached: 40, completion: 5, reasoning: 9 } },
  "rate-limited": { fault: faults.rateLimited() },
  quota: { fault: faults.quota },
  "wrong-key": { fault: faults.wrongKey },
  "no-credit": { fault: faults.noCredit },
  broken: { fault: faults.broken },
  unavailable: { fault: faults.unavailable },
  overloaded: { fault: faults.overloaded },
  silent: { fault: faults.silent },
  stall: { fault: faults.stall },
  cut: { fault: faults.cut },
  "ends-early": { fault: faults.endsEarly },
  "error-under-200": { fault: faults.errorUnder200 },
  html: { fault: faults.html },
  garbage: { fault: faults.garbage },
});
