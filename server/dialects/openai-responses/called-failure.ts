/** What a Responses upstream refuses with, or ends its answer with → one Failure. Pure; imports the domain only. */
import { Failure, type FailureCode } from "../../domain/failure.ts";
import type { UpstreamRefusal } from "../called.ts";
import { at } from "../usage/figures.ts";

const byCode: Readonly<Record<string, FailureCode>> = Object.freeze({
  context_length_exceeded: "context_length_exceeded",
  insufficient_quota: "upstream_quota",
  rate_limit_exceeded: "upstream_rate_limited",
  invalid_prompt: "upstream_invalid_request",
  invalid_api_key: "upstream_key_refused",
  model_not_found: "upstream_model_missing",
  content_filter: "content_filtered",
  server_is_overloaded: "upstream_overloaded",
});

export function failureInAnswer(error: unknown): Failure {
  const code = byCode[String(at(error, "code"))] ?? "upstream_failed";
  return new Failure(code, words(at(error, "message"), "The upstream answered with an error."));
}

export function decodeFailure({ status, headers, body }: UpstreamRefusal): Failure {
  const error = at(parsed(body), "error");
  const code = byCode[String(at(error, "code"))] ?? byStatus(status);
  const seconds = Number(headers["retry-after"]);
  const wait = seconds > 0 ? { retryAfterSeconds: seconds, coolDownMs: seconds * 1000 } : {};
  return new Failure(code, words(at(error, "message"), `The upstream answered with status ${status}.`), wait);
}

function byStatus(status: number): FailureCode {
  if (status === 401 || status === 403) return "upstream_key_refused";
  if (status === 402) return "upstream_quota";
  if (status === 404) return "upstream_model_missing";
  if (status === 429) return "upstream_rate_limited";
  if (status === 503 || status === 529) return "upstream_overloaded";
  return status >= 400 && status < 500 ? "upstream_invalid_request" : "upstream_failed";
}

function words(message: unknown, otherwise: string): string {
  return typeof message === "string" && message !== "" ? message.slice(0, 600) : otherwise;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
