/** Failures that SDKs ask again on by themselves, by their status, though nothing will have changed. Pure; for every served dialect. */
import type { Failure, FailureCode } from "../domain/failure.ts";

const permanent: ReadonlySet<FailureCode> = new Set([
  "budget_exceeded",
  "upstream_key_refused",
  "upstream_quota",
  "upstream_model_missing",
]);

/** The header that OpenAI's and Anthropic's SDKs heed; none where asking again may help. */
export function retryWord({ code }: Failure): Readonly<Record<string, string>> {
  return permanent.has(code) ? { "x-should-retry": "false" } : {};
}
