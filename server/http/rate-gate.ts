/**
 * Rate limits at the door of the inference routes: what HTTP adds to `access/rate-limits.ts`. Requests are counted before a
 * byte of the body is read, tokens are reserved when the request is known and corrected by what its answer used. Runs in the
 * server. A refusal is thrown and writes no row.
 */
import type { Pass, RateLimits } from "../access/rate-limits.ts";
import type { Dialect } from "../dialects/dialect.ts";
import type { Caller } from "../domain/caller.ts";
import { type EndEvent, isEnd } from "../domain/chat.ts";
import type { Exchange } from "./route.ts";

export interface RateGate {
  /** Reserves what the prompt may cost; `estimate` is asked only where tokens have a limit. Throws `rate_limited`. */
  reserve(estimate: () => number): void;
  /** The same events; what they used is settled. */
  metered<Event extends { readonly type: string }>(
    events: AsyncIterable<Event | EndEvent>,
  ): AsyncIterable<Event | EndEvent>;
  /** The request has ended. Harmless twice. */
  leave(): void;
}

/** Throws `rate_limited`; whoever is let in must `leave`. Either way the answer says what is left. */
export function passRateGate(
  limits: RateLimits,
  dialect: Pick<Dialect, "rateHeaders">,
  exchange: Exchange,
  caller: Caller,
): RateGate {
  const sayWhatIsLeft = () => {
    const { response } = exchange;
    if (dialect.rateHeaders === undefined || response.headersSent) return;
    for (const [name, value] of Object.entries(dialect.rateHeaders(limits.state(caller), exchange.startedAtMs))) {
      response.setHeader(name, value);
    }
  };
  const enter = (): Pass => {
    try {
      return limits.enter(caller);
    } finally {
      sayWhatIsLeft();
    }
  };
  const pass = enter();
  return {
    reserve(estimate) {
      if (!pass.countsTokens) return;
      try {
        pass.reserve(estimate());
      } finally {
        sayWhatIsLeft();
      }
    },
    // Nothing is wrapped where nobody counts: this is the path of every token.
    metered: (events) => (pass.countsTokens ? settling(events, pass) : events),
    leave: () => pass.leave(),
  };
}

async function* settling<Event extends { readonly type: string }>(
  events: AsyncIterable<Event | EndEvent>,
  pass: Pass,
): AsyncIterable<Event | EndEvent> {
  try {
    for await (const event of events) {
      if (isEnd(event)) pass.settle(event.usage.promptTokens + event.usage.completionTokens);
      yield event;
    }
  } catch (thrown) {
    // Refused before anything was computed.
    pass.settle(0);
    throw thrown;
  }
}
