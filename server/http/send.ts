/** Writes one whole answer. Runs in the server; every JSON answer and every refusal of this room goes through here. */
import type { ServerResponse } from "node:http";
import type { Dialect, WireFailure } from "../dialects/dialect.ts";
import type { Failure } from "../domain/failure.ts";

export const jsonType = "application/json; charset=utf-8";

/** `body` is JSON text. Headers set on the response before stay. */
export function sendText(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader("content-type", type);
  response.setHeader("x-content-type-options", "nosniff");
  // What a person may see depends on the key, so nothing in between keeps it.
  response.setHeader("cache-control", "no-store");
  response.end(body);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendText(response, status, jsonType, JSON.stringify(value));
}

/** Answers with the failure's own status, unless an answer has begun: then the connection is cut, never ended cleanly. */
export function sendFailure(response: ServerResponse, dialect: Pick<Dialect, "encodeFailure">, failure: Failure): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const requestId = response.getHeader("x-request-id");
  const wire: WireFailure = dialect.encodeFailure(failure, typeof requestId === "string" ? requestId : undefined);
  for (const [name, value] of Object.entries(wire.headers)) response.setHeader(name, value);
  sendText(response, wire.status, wire.headers["content-type"] ?? jsonType, wire.body);
}
