/** Rows as a gateway writes them, through the ledger's own writer on this thread, at a steady rate. */
import { setTimeout as delay } from "node:timers/promises";
import type { Ledger } from "../../../server/ledger/ledger.ts";
import type { PricingFacts } from "../../../server/domain/attempt-cost.ts";
import { noTimings } from "../../../server/domain/usage.ts";
import { newRequestId } from "../../../server/platform/ids.ts";
import { type Random, seeded } from "../../support/random.ts";
import { keyCount, modelCount, skewed } from "./year.ts";

const everyMs = 10;
/** From a request's first row to its last. */
const openForMs = 100;

export interface Load {
  /** Ends when all its rows are in the file; how many requests it wrote. */
  stop(): Promise<number>;
}

const pickKey = skewed(keyCount);
const pickModel = skewed(modelCount);

/** Opens a request and its attempt; returns what ends both. */
export function oneRequest(ledger: Ledger, random: Random): () => Promise<void> {
  // Not from the seed: its series may run into the year's own.
  const id = newRequestId();
  const [key, model] = [pickKey(random.number()), pickModel(random.number())];
  const name = `model-${model}`;
  const who = { callerKind: "key", keyId: key + 1, callerName: `person-${key}` } as const;
  const asked = { dialect: "openai-chat", alias: name, stream: true } as const;
  ledger.writer.openRequest({ id, startedAtMs: Date.now(), ...who, ...asked });
  const upstream = { provider: "openai", model: name };
  const place = { target: `openai/${name}`, reason: "only_target", offsetMs: 1 };
  ledger.writer.openAttempt({ requestId: id, number: 1, ...place, upstream, heldNanos: 900_000 });
  const promptTokens = 50 + random.below(3000);
  const completionTokens = random.below(900);
  const usage = { promptTokens, cachedTokens: 0, completionTokens, reasoningTokens: 0 };
  const nanos = promptTokens * 150 + completionTokens * 600;
  const cost = { known: true, nanos, basis: "billed" } as const;
  const ending = { status: "done", failureCode: null, durationMs: openForMs, usage, timings: noTimings, cost } as const;
  const pricing: PricingFacts = {
    ...{ computedNanos: nanos, reportedNanos: null, driftNanos: null, priceId: `openai:${name}:2025-11-01`, flags: [] },
    parts: [{ what: "prompt", count: promptTokens, picosEach: { numerator: 150_000, denominator: 1 } }],
    audio: { promptTokens: 0, cachedTokens: 0, completionTokens: 0 },
    serviceTier: "standard",
    rawUsage: { prompt_tokens: promptTokens, completion_tokens: completionTokens },
  };
  return () => {
    ledger.writer.closeAttempt({ requestId: id, number: 1, ...ending, pricing });
    return ledger.writer.closeRequest({
      ...{ id, ...ending, finishReason: "stop", ttftMs: 20 },
      plan: { route: name, strategy: "in_order", considered: [{ target: place.target, verdict: "fits" }] },
    });
  };
}

export function startLoad(ledger: Ledger, perSecond: number, seed: number): Load {
  const random = seeded(seed);
  const beganMs = performance.now();
  let started = 0;
  const running = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - beganMs) / 1000) * perSecond);
    // After a stall the rate goes on; what was missed is not made up in one burst beyond this.
    for (let most = 50; started < due && most > 0; most -= 1) {
      started += 1;
      const end = oneRequest(ledger, random);
      const whole = delay(openForMs).then(end);
      running.add(whole);
      void whole.finally(() => running.delete(whole));
    }
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
      return started;
    },
  };
}
