/** A Failure in Anthropic's error shape. Pure; imports the domain only. Its SDKs pick their error class by status and type. */
import type { Failure } from "../../domain/failure.ts";
import type { WireFailure } from "../dialect.ts";
import { retryWord } from "../permanent.ts";

const wireTypes: Readonly<Record<number, string>> = Object.freeze({
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
});

function wireType(status: number): string {
  return wireTypes[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
}

/** Agents look for these words, and for the figures in this order. */
function wireMessage({ code, message, overflow }: Failure): string {
  if (code !== "context_length_exceeded" || message.startsWith("prompt is too long")) return message;
  if (overflow === null) return `prompt is too long: ${message}`;
  return `prompt is too long: ${overflow.promptTokens} tokens > ${overflow.mostPromptTokens} maximum (${message})`;
}

function errorOf(failure: Failure): object {
  return {
    type: wireType(failure.kind.httpStatus),
    message: wireMessage(failure),
    // Where the SDKs look for a code; the field at fault has no other place in this shape.
    details: { error_code: failure.code, ...(failure.param === null ? {} : { param: failure.param }) },
  };
}

export function encodeFailure(failure: Failure, requestId?: string): WireFailure {
  const headers: Record<string, string> = { "content-type": "application/json; charset=utf-8" };
  if (failure.retryAfterSeconds !== null) headers["retry-after"] = String(failure.retryAfterSeconds);
  const body = JSON.stringify({ type: "error", error: errorOf(failure), request_id: requestId ?? null });
  return { status: failure.kind.httpStatus, headers: { ...headers, ...retryWord(failure) }, body };
}

export function failureFrame(failure: Failure): string {
  return `event: error\ndata: ${JSON.stringify({ type: "error", error: errorOf(failure) })}\n\n`;
}
