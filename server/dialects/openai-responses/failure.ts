/** A Failure as a response that failed carries it. Pure. Before a stream has begun OpenAI's error shape is the chat's. */
import type { Failure, FailureCode } from "../../domain/failure.ts";

/**
 * Codex ends for good on `invalid_prompt`, `context_length_exceeded` and `insufficient_quota`, and asks again on the others: so
 * what will not get better is one of those.
 */
const wireCodes: Readonly<Partial<Record<FailureCode, string>>> = Object.freeze({
  invalid_request: "invalid_prompt",
  upstream_invalid_request: "invalid_prompt",
  unsupported: "invalid_prompt",
  model_not_allowed: "invalid_prompt",
  context_length_exceeded: "context_length_exceeded",
  content_filtered: "content_filter",
  rate_limited: "rate_limit_exceeded",
  queue_full: "rate_limit_exceeded",
  upstream_rate_limited: "rate_limit_exceeded",
  budget_exceeded: "insufficient_quota",
  upstream_quota: "insufficient_quota",
  cancelled: "cancelled",
});

export function responseError(failure: Failure): { readonly code: string; readonly message: string } {
  return { code: wireCodes[failure.code] ?? "server_error", message: failure.message };
}
