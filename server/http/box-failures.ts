/**
 * A Failure as the box itself words it, on the routes that are nobody's dialect: the error shape the clients know and,
 * for the person at a terminal or a page, why and what next. Runs in the server.
 */
import type { Dialect } from "../dialects/dialect.ts";
import type { Failure } from "../domain/failure.ts";
import { jsonType } from "./send.ts";

export const boxFailures: Pick<Dialect, "encodeFailure"> = Object.freeze({
  encodeFailure(failure: Failure) {
    const { message, param, code, why, next, retryAfterSeconds } = failure;
    const headers: Record<string, string> = { "content-type": jsonType };
    if (retryAfterSeconds !== null) headers["retry-after"] = String(retryAfterSeconds);
    const status = failure.kind.httpStatus;
    const type = status >= 500 ? "server_error" : "invalid_request_error";
    return { status, headers, body: JSON.stringify({ error: { message, type, param, code, why, next } }) };
  },
});
