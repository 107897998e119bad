/** What is said of an upstream that failed, in our words: never its own, which may hold a key or an address. Pure. */
import { Failure, type FailureCode } from "../domain/failure.ts";

/** By code; what is not here is said with the status. */
export const upstreamWords: Readonly<Partial<Record<FailureCode, string>>> = Object.freeze({
  upstream_quota: "The account at the upstream has no credit or quota left.",
  upstream_rate_limited: "The upstream's rate limit is reached.",
  upstream_key_refused: "The upstream does not take the key it was asked with.",
  upstream_model_missing: "The upstream does not have this model.",
  upstream_overloaded: "The upstream has too much to do.",
  upstream_timeout: "The upstream gave up waiting for its own answer.",
});

export function brokenOff(): Failure {
  return new Failure("upstream_cut", "The upstream's answer broke off before its end.");
}

export function unreadable(): Failure {
  return new Failure("upstream_failed", "The upstream's answer cannot be read: it is not the JSON it should be.");
}
