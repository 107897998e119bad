/** What is left of a caller's limits, in Anthropic's headers. Pure. Absent where no limit is set. */
import type { RateLeft, RateState } from "../../domain/rate.ts";

export function rateHeaders(state: RateState, nowMs: number): Readonly<Record<string, string>> {
  return { ...headersOf("requests", state.requests, nowMs), ...headersOf("tokens", state.tokens, nowMs) };
}

function headersOf(
  what: "requests" | "tokens",
  left: RateLeft | null,
  nowMs: number,
): Readonly<Record<string, string>> {
  if (left === null) return {};
  const name = `anthropic-ratelimit-${what}`;
  return {
    [`${name}-limit`]: String(left.limit),
    [`${name}-remaining`]: String(left.remaining),
    [`${name}-reset`]: timeText(nowMs + left.resetMs),
  };
}

/** RFC 3339 in whole seconds. Rounded up, so that whoever waits for it does not come early. */
function timeText(ms: number): string {
  return new Date(Math.ceil(ms / 1_000) * 1_000).toISOString().replace(/\.000Z$/, "Z");
}
