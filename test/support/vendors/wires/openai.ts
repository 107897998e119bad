/** The OpenAI chat wire as a vendor speaks it. Written from the documented format. */
import { isPrompt, isVectors, isScores, promptFrames, promptWhole, scores, vectors } from "./openai-beside.ts";
import { bearer, type Body, frame, openaiFailure, openaiRateHeaders, type Reply, type VendorWire } from "../wire.ts";

const finishWords = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
} as const;

function usageOf({ usage, costUsd }: Reply): object | null {
  if (usage === null) return null;
  return {
    prompt_tokens: usage.prompt,
    completion_tokens: usage.completion,
    total_tokens: usage.prompt + usage.completion,
    prompt_tokens_details: {
      cached_tokens: usage.cached,
      ...(usage.cacheWrite5m > 0 ? { cache_write_tokens: usage.cacheWrite5m } : {}),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
    ...(costUsd === null ? {} : { cost: costUsd, estimated_cost: costUsd }),
  };
}

export const openaiWire: VendorWire = {
  name: "openai",
  basePath: "/v1",
  contentType: "text/event-stream; charset=utf-8",
  terminator: "data: [DONE]\n\n",
  requestIdHeader: "x-request-id",
  keyOf: bearer,
  rateHeaders: openaiRateHeaders,
  failure: openaiFailure,
  errorFrame: (message) => frame(openaiFailure(500, null, null, message)),
  models: (ids) => ({
    object: "list",
    data: ids.map((id) => ({ id, object: "model", created: 1_700_000_000, owned_by: "stand-in" })),
  }),
  asks: (path, _query, body) =>
    ["/chat/completions", "/completions", "/embeddings", "/rerank"].includes(path)
      ? { model: String(body.model ?? ""), stream: body.stream === true }
      : null,
  promptOf: (body) =>
    body.messages === undefined
      ? (body.prompt ?? body.input ?? [body.query, body.documents])
      : [body.messages, body.tools ?? null],
  makesText: (body) => !isVectors(body) && !isScores(body),
  frames: (reply, body) => {
    if (isPrompt(body)) return promptFrames(reply, body);
    const options = body.stream_options as Body | undefined;
    const wantsUsage = options?.include_usage === true;
    const usage = usageOf(reply);
    const chunk = (choices: readonly object[], extra: object = wantsUsage ? { usage: null } : {}) =>
      frame({
        id: reply.id,
        object: "chat.completion.chunk",
        created: 1_700_000_000,
        model: reply.model,
        system_fingerprint: "fp_stand_in",
        choices,
        ...extra,
      });
    const delta = (fields: object, finish: string | null = null) =>
      chunk([{ index: 0, delta: fields, logprobs: null, finish_reason: finish }]);
    return [
      delta({ role: "assistant", content: "", refusal: null }),
      ...reply.reasoningPieces.map((piece) => delta({ reasoning_content: piece })),
      ...reply.textPieces.map((piece) => delta({ content: piece })),
      ...reply.calls.flatMap((call, index) => [
        delta({
          tool_calls: [{ index, id: call.id, type: "function", function: { name: call.name, arguments: "" } }],
        }),
        ...call.pieces.map((piece) => delta({ tool_calls: [{ index, function: { arguments: piece } }] })),
      ]),
      delta({}, finishWords[reply.finish]),
      ...(wantsUsage && usage !== null ? [chunk([], { usage })] : []),
    ];
  },
  whole: (reply, body) => {
    if (isVectors(body)) return vectors(reply, body);
    if (isScores(body)) return scores(reply, body);
    if (isPrompt(body)) return promptWhole(reply);
    const usage = usageOf(reply);
    return {
      id: reply.id,
      object: "chat.completion",
      created: 1_700_000_000,
      model: reply.model,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: reply.textPieces.join("") || null,
            refusal: null,
            ...(reply.reasoningPieces.length > 0 ? { reasoning_content: reply.reasoningPieces.join("") } : {}),
            ...(reply.calls.length > 0
              ? {
                  tool_calls: reply.calls.map((call) => ({
                    id: call.id,
                    type: "function",
                    function: { name: call.name, arguments: call.arguments },
                  })),
                }
              : {}),
          },
          logprobs: null,
          finish_reason: finishWords[reply.finish],
        },
      ],
      ...(usage === null ? {} : { usage }),
    };
  },
};
