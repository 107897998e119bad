/** A Failure as the admin routes answer it: OpenAI's shape and, for the person at a terminal, why and what next. */
import type { ServerResponse } from "node:http";
import type { Dialect } from "../../dialects/dialect.ts";
import type { Failure } from "../../domain/failure.ts";
import { jsonType, sendFailure } from "../send.ts";

export const adminFailures: Pick<Dialect, "encodeFailure"> = Object.freeze({
  encodeFailure(failure: Failure) {
    const { message, param, code, why, next, retryAfterSeconds } = failure;
    const headers: Record<string, string> = { "content-type": jsonType };
    if (retryAfterSeconds !== null) headers["retry-after"] = String(retryAfterSeconds);
    const status = failure.kind.httpStatus;
    const type = status >= 500 ? "server_error" : "invalid_request_error";
    return { status, headers, body: JSON.stringify({ error: { message, type, param, code, why, next } }) };
  },
});

export function sendAdminFailure(response: ServerResponse, failure: Failure): void {
  sendFailure(response, adminFailures, failure);
}
