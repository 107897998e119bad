/**
 * One request that is answered in one piece (embeddings, reranking): body → request → result → JSON. Runs in the server.
 * The dialect knows the wire shape, the spine runs the request and writes its row.
 */
import type { WholeDialect } from "../dialects/whole-dialect.ts";
import type { Caller } from "../domain/caller.ts";
import { isEnd } from "../domain/chat.ts";
import { failureOf, noEnd } from "../domain/end.ts";
import type { WholeEvent } from "../domain/embedding.ts";
import type { RequestFacts } from "../inference.ts";
import { admit, type InferenceParts, leaveWhenClosed, setTargetHeader } from "./admission.ts";
import { passRateGate, type RateGate } from "./rate-gate.ts";
import type { Exchange } from "./route.ts";
import { jsonType, sendFailure, sendText } from "./send.ts";
import { limitWhole } from "./whole-limit.ts";

export function wholeRoute<Request extends { readonly model: string }, Result>(
  dialect: WholeDialect<Request, Result>,
  parts: InferenceParts,
  ask: (input: RequestFacts & { readonly request: Request }, signal: AbortSignal) => AsyncIterable<WholeEvent<Result>>,
) {
  return async (exchange: Exchange, caller: Caller): Promise<void> => {
    const gate = await passRateGate(parts.deps.rateLimits, dialect, exchange, caller);
    try {
      await answer(exchange, caller, gate);
    } finally {
      gate.leave();
    }
  };

  async function answer(exchange: Exchange, caller: Caller, gate: RateGate): Promise<void> {
    const { response, requestId, startedAtMs } = exchange;
    const { decoded: call, flight, wishes, notes } = await admit(exchange, caller, dialect, parts);
    leaveWhenClosed(exchange, flight);
    const lift = limitWhole(exchange, flight, parts, "texts");
    try {
      await gate.reserve(() => call.estimatedTokens, call.request.model);
      const input = { requestId, caller, dialect: dialect.id, request: call.request, startedAtMs, wishes, notes };
      let result: { readonly value: Result } | null = null;
      for await (const event of gate.metered(ask(input, flight.signal))) {
        if (!isEnd(event)) {
          result = { value: event.result };
          continue;
        }
        setTargetHeader(parts.deps, exchange);
        const failure = failureOf(event, flight.signal);
        if (failure !== null) sendFailure(response, dialect, failure);
        else if (result === null) throw noEnd();
        else sendText(response, 200, jsonType, call.encode(result.value, event.usage, event.timings));
        return;
      }
      throw noEnd();
    } finally {
      lift();
      flight.land();
    }
  }
}
