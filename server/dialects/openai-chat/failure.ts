/** A Failure in OpenAI's error shape. Pure; imports the domain only. The SDKs pick their error class by status and code. */
import type { Failure, FailureCode } from "../../domain/failure.ts";
import type { WireFailure } from "../dialect.ts";
import { retryWord } from "../permanent.ts";

/** Where OpenAI has a word of its own for what we mean, clients look for that word. */
const wireCodes: Readonly<Partial<Record<FailureCode, string>>> = Object.freeze({
  unknown_key: "invalid_api_key",
  rate_limited: "rate_limit_exceeded",
  internal: "internal_error",
});

function wireType(status: number): string {
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** The JSON text `{"error":{…}}`, the same before and inside a stream. */
export function errorBody(failure: Failure): string {
  return JSON.stringify({
    error: {
      message: failure.message,
      type: wireType(failure.kind.httpStatus),
      param: failure.param,
      code: wireCodes[failure.code] ?? failure.code,
    },
  });
}

export function encodeFailure(failure: Failure): WireFailure {
  const headers: Record<string, string> = { "content-type": "application/json; charset=utf-8" };
  // Codex and LangChain give up on a 429 or 503 without it; none of the measured clients ignores an integer of 1 to 60.
  if (failure.retryAfterSeconds !== null) headers["retry-after"] = String(failure.retryAfterSeconds);
  return { status: failure.kind.httpStatus, headers: { ...headers, ...retryWord(failure) }, body: errorBody(failure) };
}

export function failureFrame(failure: Failure): string {
  return `data: ${errorBody(failure)}\n\n`;
}
