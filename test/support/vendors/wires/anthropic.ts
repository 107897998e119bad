/** The Anthropic Messages wire as a vendor speaks it. Written from the documented format. */
import { bearer, frame, type Reply, type VendorWire } from "../wire.ts";

const stopReasons = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "content-filter": "refusal",
} as const;

const errorTypes: Readonly<Record<number, string>> = Object.freeze({
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
});

/** Its prompt count leaves out what was cached or written. */
function inputUsage({ usage }: Reply): object | null {
  if (usage === null) return null;
  const written = usage.cacheWrite5m + usage.cacheWrite1h;
  return {
    input_tokens: Math.max(0, usage.prompt - usage.cached - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: usage.cached,
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cacheWrite5m,
      ephemeral_1h_input_tokens: usage.cacheWrite1h,
    },
    service_tier: "standard",
  };
}

export const anthropicWire: VendorWire = {
  name: "anthropic",
  basePath: "/v1",
  contentType: "text/event-stream; charset=utf-8",
  terminator: "",
  requestIdHeader: "request-id",
  keyOf: (headers) => headers["x-api-key"] ?? bearer(headers),
  rateHeaders: (left) => ({
    "anthropic-ratelimit-requests-limit": "500",
    "anthropic-ratelimit-requests-remaining": String(left.requests),
    "anthropic-ratelimit-requests-reset": "2030-01-01T00:00:00Z",
    "anthropic-ratelimit-tokens-limit": "200000",
    "anthropic-ratelimit-tokens-remaining": String(left.tokens),
    "anthropic-ratelimit-tokens-reset": "2030-01-01T00:00:00Z",
  }),
  failure: (status, _code, type, message) => ({
    type: "error",
    error: { type: type ?? errorTypes[status] ?? "api_error", message },
    request_id: "req_stand_in",
  }),
  errorFrame: (message) => frame({ type: "error", error: { type: "overloaded_error", message } }, "error"),
  models: (ids) => ({
    data: ids.map((id) => ({ type: "model", id, display_name: id, created_at: "2026-01-01T00:00:00Z" })),
    has_more: false,
    first_id: ids[0] ?? null,
    last_id: ids.at(-1) ?? null,
  }),
  asks: (path, _query, body) =>
    path === "/messages" ? { model: String(body.model ?? ""), stream: body.stream === true } : null,
  promptOf: (body) => [body.system ?? null, body.messages, body.tools ?? null],
  frames: (reply) => {
    const input = inputUsage(reply);
    const blocks = contentOf(reply);
    return [
      frame(
        {
          type: "message_start",
          message: {
            id: reply.id,
            type: "message",
            role: "assistant",
            model: reply.model,
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: { ...input, output_tokens: input === null ? 0 : 1 },
          },
        },
        "message_start",
      ),
      frame({ type: "ping" }, "ping"),
      ...blocks.flatMap(({ start, deltas }, index) => [
        frame({ type: "content_block_start", index, content_block: start }, "content_block_start"),
        ...deltas.map((delta) => frame({ type: "content_block_delta", index, delta }, "content_block_delta")),
        frame({ type: "content_block_stop", index }, "content_block_stop"),
      ]),
      frame(
        {
          type: "message_delta",
          delta: { stop_reason: stopReasons[reply.finish], stop_sequence: null },
          ...(reply.usage === null ? {} : { usage: { ...input, output_tokens: reply.usage.completion } }),
        },
        "message_delta",
      ),
      frame({ type: "message_stop" }, "message_stop"),
    ];
  },
  whole: (reply) => ({
    id: reply.id,
    type: "message",
    role: "assistant",
    model: reply.model,
    content: contentOf(reply).map(({ whole }) => whole),
    stop_reason: stopReasons[reply.finish],
    stop_sequence: null,
    ...(reply.usage === null ? {} : { usage: { ...inputUsage(reply), output_tokens: reply.usage.completion } }),
  }),
};

interface Block {
  readonly start: object;
  readonly deltas: readonly object[];
  readonly whole: object;
}

function contentOf(reply: Reply): readonly Block[] {
  const thinking = reply.reasoningPieces.join("");
  const text = reply.textPieces.join("");
  const signature = "c3RhbmQtaW4=";
  return [
    ...(thinking === ""
      ? []
      : [
          {
            start: { type: "thinking", thinking: "", signature: "" },
            deltas: [
              ...reply.reasoningPieces.map((piece) => ({ type: "thinking_delta", thinking: piece })),
              { type: "signature_delta", signature },
            ],
            whole: { type: "thinking", thinking, signature },
          },
        ]),
    ...(text === ""
      ? []
      : [
          {
            start: { type: "text", text: "" },
            deltas: reply.textPieces.map((piece) => ({ type: "text_delta", text: piece })),
            whole: { type: "text", text },
          },
        ]),
    ...reply.calls.map((call) => ({
      start: { type: "tool_use", id: call.id, name: call.name, input: {} },
      deltas: call.pieces.map((piece) => ({ type: "input_json_delta", partial_json: piece })),
      whole: { type: "tool_use", id: call.id, name: call.name, input: JSON.parse(call.arguments || "{}") as unknown },
    })),
  ];
}
