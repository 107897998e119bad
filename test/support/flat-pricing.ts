/** A price book of one line: every token of every model costs 1 nano-USD, but for `nobody-knows`, which has no price. */
import type { Cost } from "../../server/domain/money.ts";
import type { PricedAttempt, Pricing } from "../../server/domain/pricing/priced.ts";
import type { UpstreamUsage } from "../../server/domain/upstream-usage.ts";
import { noUsage, type Usage } from "../../server/domain/usage.ts";

export function flatPricing(): Pricing {
  return {
    price({ model, used }): PricedAttempt {
      const { promptTokens, completionTokens } = used.usage;
      const reportedNanos = used.reported?.nanos ?? null;
      const billed: Cost | null =
        reportedNanos === null ? null : { known: true, nanos: reportedNanos, basis: "billed" };
      if (model === "nobody-knows") {
        const unknown: Cost = { known: false, reason: "unknown_price" };
        const rest = { reportedNanos, driftNanos: null, priceId: null, parts: [], flags: ["unknown_price"] };
        return { cost: billed ?? unknown, computed: unknown, ...rest };
      }
      const nanos = promptTokens + completionTokens;
      const computed: Cost = { known: true, nanos, basis: "estimated" };
      const picosEach = { numerator: 1_000, denominator: 1 };
      return {
        cost: billed ?? computed,
        computed,
        reportedNanos,
        driftNanos: reportedNanos === null ? null : reportedNanos - nanos,
        priceId: `flat/${model}`,
        parts: [
          { what: "prompt", count: promptTokens, picosEach },
          { what: "completion", count: completionTokens, picosEach },
        ],
        flags: used.flags,
      };
    },
  };
}

export function upstreamUsage(usage: Partial<Usage>): UpstreamUsage {
  return {
    usage: { ...noUsage, ...usage },
    audio: { promptTokens: 0, cachedTokens: 0, completionTokens: 0 },
    serviceTier: "standard",
    toolCalls: {},
    reported: null,
    flags: [],
    raw: { prompt_tokens: usage.promptTokens ?? 0, completion_tokens: usage.completionTokens ?? 0 },
  };
}
