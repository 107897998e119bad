/** Refusals of upstreams that speak OpenAI's error shape, or nearly → one code each, how long to wait, and nothing secret. */
import { describe, expect, test } from "vitest";
import { decodeFailure } from "../../../server/dialects/openai-chat/called-failure.ts";

const nowMs = Date.parse("2026-11-26T10:00:00Z");
const refused = (status: number, error: unknown, headers: Record<string, string> = {}) =>
  decodeFailure({ status, headers, body: typeof error === "string" ? error : JSON.stringify(error), nowMs });
const openai = (message: string, type: string, code: string | null, param: string | null = null) => ({
  error: { message, type, code, param },
});

test.each<[string, number, unknown, string]>([
  [
    "OpenAI: context",
    400,
    openai(
      "This model's maximum context length is 8192 tokens.",
      "invalid_request_error",
      "context_length_exceeded",
      "messages",
    ),
    "context_length_exceeded",
  ],
  [
    "OpenAI: key",
    401,
    openai("Incorrect API key provided", "invalid_request_error", "invalid_api_key"),
    "upstream_key_refused",
  ],
  [
    "OpenAI: model",
    404,
    openai("The model `x` does not exist", "invalid_request_error", "model_not_found"),
    "upstream_model_missing",
  ],
  ["OpenAI: rate", 429, openai("Rate limit reached", "requests", "rate_limit_exceeded"), "upstream_rate_limited"],
  [
    "OpenAI: quota",
    429,
    openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
    "upstream_quota",
  ],
  ["OpenAI: server", 500, openai("The server had an error", "server_error", null), "upstream_failed"],
  ["OpenAI: busy", 503, openai("Slow down", "server_error", null), "upstream_overloaded"],
  [
    "OpenAI: policy",
    400,
    openai("Rejected by our safety system", "invalid_request_error", "content_policy_violation"),
    "content_filtered",
  ],
  [
    "OpenAI: request",
    400,
    openai("Invalid schema", "invalid_request_error", null, "tools[0]"),
    "upstream_invalid_request",
  ],
  ["OpenRouter: credits", 402, { error: { code: 402, message: "Insufficient credits" } }, "upstream_quota"],
  [
    "OpenRouter: moderation",
    403,
    { error: { code: 403, message: "Your input was flagged", metadata: { reasons: ["x"] } } },
    "content_filtered",
  ],
  ["OpenRouter: slow", 408, { error: { code: 408, message: "Request timed out" } }, "upstream_timeout"],
  ["OpenRouter: upstream", 502, { error: { code: 502, message: "Provider returned error" } }, "upstream_failed"],
  ["OpenRouter: nobody", 404, { error: { code: 404, message: "No endpoints found" } }, "upstream_model_missing"],
  ["Groq: flex", 498, { error: { message: "Flex tier capacity exceeded", type: "x" } }, "upstream_overloaded"],
  [
    "Groq: too large for the minute",
    413,
    openai("Request too large for model on tokens per minute", "tokens", "rate_limit_exceeded"),
    "upstream_rate_limited",
  ],
  [
    "Groq: model",
    400,
    openai("The model `x` has been decommissioned", "invalid_request_error", "model_decommissioned"),
    "upstream_model_missing",
  ],
  [
    "DeepSeek: balance",
    402,
    openai("Insufficient Balance", "unknown_error", "invalid_request_error"),
    "upstream_quota",
  ],
  ["vLLM", 400, { object: "error", message: "bad", type: "BadRequestError", code: 400 }, "upstream_invalid_request"],
  [
    "vLLM: context",
    400,
    { object: "error", message: "This model's maximum context length is 10 tokens", code: 400 },
    "context_length_exceeded",
  ],
  ["FastAPI", 422, { detail: [{ msg: "field required" }] }, "upstream_invalid_request"],
  ["Ollama", 404, { error: "model 'x' not found" }, "upstream_model_missing"],
  ["a proxy's page", 502, "<html>502 Bad Gateway</html>", "upstream_failed"],
  ["a gateway that gave up", 504, "", "upstream_timeout"],
  ["Anthropic's word", 529, {}, "upstream_overloaded"],
  ["a redirect", 302, "", "upstream_failed"],
])("%s", (_name, status, error, code) => {
  expect(refused(status, error).code).toBe(code);
});

describe("how long it asks to be left alone", () => {
  const limit = openai("Slow down", "requests", "rate_limit_exceeded");
  test.each<[Record<string, string>, number | null]>([
    [{ "retry-after-ms": "1500", "retry-after": "9" }, 1_500],
    [{ "retry-after": "1.5" }, 1_500],
    [{ "retry-after": "Thu, 26 Nov 2026 10:02:00 GMT" }, 120_000],
    [{ "retry-after": "Thu, 26 Nov 2026 09:00:00 GMT" }, 0],
    [{ "x-ratelimit-reset-requests": "6m0s" }, 360_000],
    [{ "x-ratelimit-reset-tokens": "120ms" }, 120],
    [{ "x-ratelimit-reset-requests": "1h2m3.5s" }, 3_723_500],
    // The day's limit has room left: the minute's is the one that was hit.
    [
      {
        "x-ratelimit-reset-requests": "23h",
        "x-ratelimit-remaining-requests": "5",
        "x-ratelimit-reset-tokens": "7s",
        "x-ratelimit-remaining-tokens": "0",
      },
      7_000,
    ],
    [{ "x-ratelimit-reset": String(nowMs + 4_000) }, 4_000],
    [{ "x-ratelimit-reset-requests": "2026-11-26T10:00:30Z" }, 30_000],
    [{ "retry-after": "soon", "x-ratelimit-reset-requests": "whenever" }, null],
    [{ "retry-after": "99999999999" }, null],
    [{}, null],
  ])("%j is %s ms", (headers, coolDownMs) => {
    expect(refused(429, limit, headers).coolDownMs).toBe(coolDownMs);
  });

  test("in words, or in the headers of OpenRouter's own upstream", () => {
    expect(refused(429, openai("Please try again in 6m1.5s.", "requests", null)).coolDownMs).toBe(361_500);
    const metadata = { headers: { "X-RateLimit-Reset": String(nowMs + 9_000), "X-RateLimit-Remaining": "0" } };
    expect(refused(429, { error: { code: 429, message: "x", metadata } }).coolDownMs).toBe(9_000);
    expect(refused(429, openai("x", "requests", null), { "retry-after": "3600" }).retryAfterSeconds).toBe(60);
  });
});

test("its words are passed on where the request is wrong, with the place, and without keys", () => {
  const failure = refused(
    400,
    openai("Unknown parameter beside sk-abcdef123456", "invalid_request_error", null, "foo"),
  );
  expect(failure).toMatchObject({ message: "Unknown parameter beside [key]", param: "foo" });
  const key = refused(
    401,
    openai("Incorrect API key provided: sk-abcdef123456", "invalid_request_error", "invalid_api_key"),
  );
  expect(key.message).not.toMatch(/sk-|Incorrect/);
  expect(refused(400, openai("x".repeat(10_000), "invalid_request_error", null)).message.length).toBeLessThan(700);
});
