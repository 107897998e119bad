/**
 * Rate limits at the door of the inference routes: what HTTP adds to `access/rate-limits.ts`. Requests are counted before a
 * byte of the body is read, tokens are reserved when the request is known and corrected by what its answer used. Runs in the
 * server. A refusal is thrown and writes no row.
 */
import type { Pass, RateLimits } from "../access/rate-limits.ts";
import type { Dialect } from "../dialects/dialect.ts";
import type { Caller } from "../domain/caller.ts";
import { type EndEvent, isEnd } from "../domain/chat.ts";
import { watched } from "../domain/passing.ts";
import type { Exchange } from "./route.ts";

export interface RateGate {
  /**
   * Asks the model's limits, and reserves what the prompt may cost; `estimate` is asked only where tokens have a limit. A
   * promise: it waits for room. Throws, or rejects with, `rate_limited`.
   */
  reserve(estimate: () => number, alias: string): void | Promise<void>;
  /** The same events; what they used is settled. */
  metered<Event extends { readonly type: string }>(
    events: AsyncIterable<Event | EndEvent>,
  ): AsyncIterable<Event | EndEvent>;
  /** The request has ended. Harmless twice. */
  leave(): void;
}

/**
 * Throws, or rejects with, `rate_limited`; a promise waits for room. Whoever is let in must `leave`. Either way the answer
 * says what is left.
 */
export function passRateGate(
  limits: RateLimits,
  dialect: Pick<Dialect, "rateHeaders">,
  exchange: Exchange,
  caller: Caller,
): RateGate | Promise<RateGate> {
  const { response } = exchange;
  let isSaid = false;
  /** Once for an answer: late enough to count what this request reserves, and before its headers leave. */
  const sayWhatIsLeft = () => {
    if (isSaid || dialect.rateHeaders === undefined || response.headersSent) return;
    isSaid = true;
    for (const [name, value] of Object.entries(dialect.rateHeaders(limits.state(caller), exchange.startedAtMs))) {
      response.setHeader(name, value);
    }
  };
  /** Made only for those who wait. */
  const leaving = () => {
    const leaver = new AbortController();
    response.once("close", () => leaver.abort());
    if (response.destroyed) leaver.abort();
    return leaver.signal;
  };
  const gateOf = (pass: Pass): RateGate => ({
    reserve: (estimate, alias) => finallySaid(() => pass.reserve(estimate, alias), sayWhatIsLeft),
    // Nothing is wrapped where nobody counts: this is the path of every token.
    metered: (events) => (pass.countsTokens ? settling(events, pass) : events),
    leave: () => {
      // Of a request that was refused before it could reserve anything.
      sayWhatIsLeft();
      pass.leave();
    },
  });
  let entered: Pass | Promise<Pass>;
  try {
    entered = limits.enter(caller, leaving);
  } catch (thrown) {
    sayWhatIsLeft();
    throw thrown;
  }
  if (!(entered instanceof Promise)) return gateOf(entered);
  return entered.then(gateOf, (thrown: unknown) => {
    sayWhatIsLeft();
    throw thrown;
  });
}

/** Does `work`, and calls `say` when it is over, however it ends and whether it waits or not. */
function finallySaid(work: () => void | Promise<void>, say: () => void): void | Promise<void> {
  let result: void | Promise<void>;
  try {
    result = work();
  } catch (thrown) {
    say();
    throw thrown;
  }
  if (result instanceof Promise) return result.finally(say);
  say();
}

function settling<Event extends { readonly type: string }>(
  events: AsyncIterable<Event | EndEvent>,
  pass: Pass,
): AsyncIterable<Event | EndEvent> {
  return watched(events, () => ({
    event: (event) => {
      if (isEnd(event)) pass.settle(event.usage.promptTokens + event.usage.completionTokens);
    },
    // What throws was refused before anything was computed.
    over: (how) => {
      if ("thrown" in how) pass.settle(0);
    },
  }));
}
