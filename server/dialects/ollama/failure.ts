/** A Failure as Ollama says it: one text. Its SDK prints an object as `[object Object]`. Pure; imports the domain only. */
import type { Failure } from "../../domain/failure.ts";
import type { WireFailure } from "../dialect.ts";
import { retryWord } from "../permanent.ts";

function errorBody(failure: Failure): string {
  return JSON.stringify({ error: failure.message });
}

export function encodeFailure(failure: Failure): WireFailure {
  const headers: Record<string, string> = { "content-type": "application/json; charset=utf-8" };
  if (failure.retryAfterSeconds !== null) headers["retry-after"] = String(failure.retryAfterSeconds);
  return { status: failure.kind.httpStatus, headers: { ...headers, ...retryWord(failure) }, body: errorBody(failure) };
}

/** In a stream that has begun it is the last line. */
export function failureFrame(failure: Failure): string {
  return `${errorBody(failure)}\n`;
}
