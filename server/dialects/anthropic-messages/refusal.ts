/** What an upstream of Anthropic's shape refuses, as a Failure: by its own type of error where it says one. Pure. */
import { Failure, type FailureCode, type FailureOptions } from "../../domain/failure.ts";
import type { UpstreamRefusal } from "../called.ts";
import { coolDownMs } from "../retry-after.ts";
import { at } from "../usage/figures.ts";

/** Characters of an upstream's words that are passed on. */
const longestWords = 500;

interface SaidError {
  readonly type: string | null;
  readonly message: string;
  readonly code: string | null;
}

const codesOfTypes: Readonly<Record<string, FailureCode>> = Object.freeze({
  invalid_request_error: "upstream_invalid_request",
  authentication_error: "upstream_key_refused",
  permission_error: "upstream_key_refused",
  billing_error: "upstream_quota",
  not_found_error: "upstream_model_missing",
  request_too_large: "payload_too_large",
  rate_limit_error: "upstream_rate_limited",
  timeout_error: "upstream_timeout",
  api_error: "upstream_failed",
  overloaded_error: "upstream_overloaded",
});

const codesOfStatuses: Readonly<Record<number, FailureCode>> = Object.freeze({
  401: "upstream_key_refused",
  402: "upstream_quota",
  403: "upstream_key_refused",
  404: "upstream_model_missing",
  408: "upstream_timeout",
  413: "payload_too_large",
  429: "upstream_rate_limited",
  503: "upstream_overloaded",
  504: "upstream_timeout",
  529: "upstream_overloaded",
});

/** Words for those whose own words could hold a key, or say nothing to whoever asked. */
const ownWords: Readonly<Partial<Record<FailureCode, string>>> = Object.freeze({
  upstream_key_refused: "The provider does not take this box's key for it.",
  upstream_quota: "This box's account at the provider has no credit left, or has reached its limit there.",
});

export function decodeFailure(refusal: UpstreamRefusal): Failure {
  const said = saidError(refusal.body);
  const code = codeOf(said, statusCode(refusal.status));
  return failure(code, said, { coolDownMs: coolDownMs(refusal.headers, refusal.nowMs) });
}

/** An `error` event inside a stream, or an error under HTTP 200. */
export function streamFailure(event: unknown): Failure {
  const said = saidErrorIn(event);
  return failure(codeOf(said, "upstream_failed"), said, {});
}

function statusCode(status: number): FailureCode {
  return codesOfStatuses[status] ?? (status >= 400 && status < 500 ? "upstream_invalid_request" : "upstream_failed");
}

/** An imitator's type may be missing or of its own making; then the status speaks. */
function codeOf(said: SaidError, byStatus: FailureCode): FailureCode {
  const byType = (said.type === null ? undefined : codesOfTypes[said.type]) ?? byStatus;
  // A status that is plainer than the type wins: 529 with `api_error` is still too much to do.
  const code =
    byType === "upstream_failed" || byType === "upstream_invalid_request" ? plainer(byStatus, byType) : byType;
  if (code === "upstream_rate_limited" && said.code === "enforced_spend_limit_reached") return "upstream_quota";
  if (code !== "upstream_invalid_request" && code !== "payload_too_large") return code;
  if (/prompt is too long|context (window|length)|maximum context|exceed\w* .{0,20}context/i.test(said.message)) {
    return "context_length_exceeded";
  }
  if (/credit balance is too low|spend limit/i.test(said.message)) return "upstream_quota";
  if (/content filtering policy/i.test(said.message)) return "content_filtered";
  return code;
}

function plainer(byStatus: FailureCode, byType: FailureCode): FailureCode {
  return byStatus === "upstream_failed" || byStatus === "upstream_invalid_request" ? byType : byStatus;
}

function failure(code: FailureCode, said: SaidError, options: FailureOptions): Failure {
  const words = ownWords[code] ?? (said.message === "" ? "The provider gave no reason." : said.message);
  const asked = options.coolDownMs ?? null;
  return new Failure(code, words, {
    ...options,
    ...(asked === null ? {} : { retryAfterSeconds: asked / 1_000 }),
    ...overflowIn(code, said.message),
  });
}

function overflowIn(code: FailureCode, message: string): Pick<FailureOptions, "overflow" | "param"> {
  if (code !== "context_length_exceeded") return {};
  const found = /(\d{1,12}) tokens > (\d{1,12})/.exec(message);
  if (found === null) return { param: "messages" };
  return { param: "messages", overflow: { promptTokens: Number(found[1]), mostPromptTokens: Number(found[2]) } };
}

function saidError(body: string): SaidError {
  try {
    return saidErrorIn(JSON.parse(body));
  } catch {
    return { type: null, message: "", code: null };
  }
}

function saidErrorIn(body: unknown): SaidError {
  const message = textOf(at(body, "error", "message")) ?? textOf(at(body, "message")) ?? textOf(at(body, "error"));
  return {
    type: textOf(at(body, "error", "type")),
    message: oneLine(message ?? ""),
    code: textOf(at(body, "error", "details", "error_code")),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** Fit to be shown: one line, no end of a key. */
function oneLine(text: string): string {
  const line = text
    .slice(0, 4 * longestWords)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  return line
    .replace(/\b(sk|key|lth)[-_][\w-]{8,}/gi, "$1-…")
    .slice(0, longestWords)
    .toWellFormed();
}
