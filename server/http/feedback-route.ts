/**
 * `POST /v1/feedback`: whether an answer did what it was for, said by whoever asked, or an admin. Runs in the server. It is kept
 * beside the request's row; `usage summary` tells what a successful request costs. A rate limit of the caller's counts it as a
 * request.
 */
import { z } from "zod";
import { fieldFailure } from "../dialects/field-failure.ts";
import type { Caller } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import type { Dialect } from "../dialects/dialect.ts";
import type { HttpDeps } from "./deps.ts";
import { passRateGate } from "./rate-gate.ts";
import type { Exchange } from "./route.ts";
import { sendJson } from "./send.ts";

const body = z.object({
  request_id: z.string().min(1).max(100),
  ok: z.boolean(),
  note: z.string().max(2_000).nullish(),
});

export function feedbackRoute(
  dialect: Pick<Dialect, "rateHeaders">,
  { reports, feedback, clock, rateLimits }: Pick<HttpDeps, "reports" | "feedback" | "clock" | "rateLimits">,
  readBody: (exchange: Exchange) => Promise<unknown>,
) {
  return async (exchange: Exchange, caller: Caller): Promise<void> => {
    const gate = await passRateGate(rateLimits, dialect, exchange, caller);
    try {
      await keep(exchange, caller);
    } finally {
      gate.leave();
    }
  };

  async function keep(exchange: Exchange, caller: Caller): Promise<void> {
    const said = body.safeParse(await readBody(exchange));
    if (!said.success) throw fieldFailure(said.error);
    const { request_id: requestId, ok, note } = said.data;
    const record = await reports.show(requestId);
    // Whose it is not is told the same as where there is none.
    const isTheirs =
      record !== null &&
      (caller.kind === "admin" || (record.callerKind === caller.kind && record.keyId === caller.keyId));
    const isKept =
      isTheirs && feedback.keep({ requestId, ok, note: note?.toWellFormed() ?? null, saidAtMs: clock.now() });
    if (!isKept) throw new Failure("not_found", "There is no such request of yours.", { param: "request_id" });
    sendJson(exchange.response, 200, { request_id: requestId, ok });
  }
}
