/**
 * `POST /v1/messages/count_tokens`: how long a prompt is, without an answer. Runs in the server. It costs nothing and leaves no
 * row; a rate limit of the caller's counts it as a request.
 */
import { decodeCount } from "../dialects/anthropic-messages/decode.ts";
import type { Dialect } from "../dialects/dialect.ts";
import type { Caller } from "../domain/caller.ts";
import { type InferenceParts, leaveWhenClosed, wishesOf } from "./admission.ts";
import { readJson } from "./body.ts";
import { passRateGate } from "./rate-gate.ts";
import type { Exchange } from "./route.ts";
import { jsonType, sendText } from "./send.ts";

export function countRoute(dialect: Dialect, { deps, timing, inFlight, bodyBudget }: InferenceParts) {
  return async (exchange: Exchange, caller: Caller): Promise<void> => {
    const { request, response } = exchange;
    const gate = await passRateGate(deps.rateLimits, dialect, exchange, caller);
    const flight = inFlight.takeOff();
    try {
      const body = await readJson(request, response, {
        limitBytes: deps.settings.bodyLimitBytes,
        graceMs: timing.bodyGraceMs,
        clock: deps.clock,
        budget: bodyBudget,
      });
      leaveWhenClosed(exchange, flight);
      const tokens = await deps.inference.count(decodeCount(body), caller, wishesOf(request.headers));
      sendText(response, 200, jsonType, JSON.stringify({ input_tokens: tokens }));
    } finally {
      flight.land();
      gate.leave();
    }
  };
}
