/** Google's error object → one Failure. Pure; for HTTP errors and for errors inside a stream; imports the domain only. */
import { upstreamWords } from "../upstream-words.ts";
import { parsedJson } from "../../domain/json-text.ts";
import { Failure, type FailureCode } from "../../domain/failure.ts";
import type { UpstreamRefusal } from "../called.ts";
import { coolDownMs, durationMs } from "../retry-after.ts";
import { at, isWireObject } from "../usage/figures.ts";

const longestWords = 600;

export function decodeFailure(refusal: UpstreamRefusal): Failure {
  return failureOf(errorIn(parsedJson(refusal.body)), refusal.status, coolDownMs(refusal.headers, refusal.nowMs));
}

/** An error under HTTP 200; the status is the one it names. */
export function failureInAnswer(error: unknown): Failure {
  const code = at(error, "code");
  return failureOf(error, typeof code === "number" && code >= 400 && code <= 599 ? code : 502, null);
}

function failureOf(error: unknown, status: number, headerWaitMs: number | null): Failure {
  const said = at(error, "message");
  const message = typeof said === "string" ? said : "";
  const reason = reasonIn(error);
  const code = codeOf(status, message, reason);
  const waitMs = headerWaitMs ?? retryInfoMs(error);
  const wait = waitMs === null ? {} : { coolDownMs: waitMs, retryAfterSeconds: waitMs / 1_000 };
  const speaks = code === "upstream_invalid_request" || code === "context_length_exceeded";
  const cause = new Error(`upstream said ${status} ${reason}: ${message.slice(0, longestWords)}`);
  const words = speaks && message !== "" ? message.slice(0, longestWords).toWellFormed() : ownWords(code, status);
  return new Failure(code, words, { cause, ...wait });
}

function codeOf(status: number, message: string, reason: string): FailureCode {
  if (/API_KEY_INVALID|API_KEY_EXPIRED/.test(reason) || /api key (?:not valid|expired)/i.test(message)) {
    return "upstream_key_refused";
  }
  // Its words for any limit name quota and billing; a limit of 0 is the one that waiting does not help.
  if (status === 429)
    return /\blimit: 0\b|prepa(?:id|y)|spend/i.test(message) ? "upstream_quota" : "upstream_rate_limited";
  if (status === 402 || /BILLING_DISABLED/.test(reason)) return "upstream_quota";
  if (status === 401 || status === 403) return "upstream_key_refused";
  if (status === 404) return "upstream_model_missing";
  if (status === 408 || status === 504) return "upstream_timeout";
  if (status === 503 || status === 529) return "upstream_overloaded";
  if (status >= 500 || status < 400) return "upstream_failed";
  return /token count.{0,60}exceeds|exceeds the maximum number of tokens|context (?:length|window)/i.test(message)
    ? "context_length_exceeded"
    : "upstream_invalid_request";
}

function ownWords(code: FailureCode, status: number): string {
  return upstreamWords[code] ?? `The upstream failed with status ${status}.`;
}

/** `ErrorInfo.reason` of the details, and the status word. */
function reasonIn(error: unknown): string {
  const reasons = detailsOf(error).map((detail) => at(detail, "reason"));
  return [at(error, "status"), ...reasons].filter((word) => typeof word === "string").join(" ");
}

/** `RetryInfo.retryDelay`: `34.07s`. */
function retryInfoMs(error: unknown): number | null {
  for (const detail of detailsOf(error)) {
    const delay = at(detail, "retryDelay");
    if (typeof delay === "string") return durationMs(delay);
  }
  return null;
}

function detailsOf(error: unknown): readonly unknown[] {
  const details = at(error, "details");
  return Array.isArray(details) ? details : [];
}

/** Asked for a stream of JSON it answers with a list of one. */
function errorIn(body: unknown): unknown {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  const error = at(first, "error");
  return isWireObject(error) ? error : first;
}
