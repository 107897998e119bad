/** What is left of a caller's limits, in OpenAI's headers. Pure. Absent where no limit is set. */
import type { RateLeft, RateState } from "../../domain/rate.ts";

export function rateHeaders(state: RateState): Readonly<Record<string, string>> {
  return { ...headersOf("requests", state.requests), ...headersOf("tokens", state.tokens) };
}

function headersOf(what: "requests" | "tokens", left: RateLeft | null): Readonly<Record<string, string>> {
  if (left === null) return {};
  return {
    [`x-ratelimit-limit-${what}`]: String(left.limit),
    [`x-ratelimit-remaining-${what}`]: String(left.remaining),
    [`x-ratelimit-reset-${what}`]: durationText(left.resetMs),
  };
}

/** `120ms`, `8.64s`, `6m0s`: as OpenAI writes them. Rounded up, so that whoever waits that long does not come early. */
export function durationText(ms: number): string {
  const wholeMs = Math.ceil(ms);
  if (wholeMs < 1_000) return wholeMs === 0 ? "0s" : `${wholeMs}ms`;
  const hundredths = Math.ceil(wholeMs / 10);
  const minutes = Math.floor(hundredths / 6_000);
  const seconds = `${(hundredths - minutes * 6_000) / 100}s`;
  return minutes === 0 ? seconds : `${minutes}m${seconds}`;
}
