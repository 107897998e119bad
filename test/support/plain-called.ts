/**
 * A small wire shape to call, for tests of the rooms that call: OpenAI's chat with text only. It keeps the contract of
 * `server/dialects/called.ts` and no more, so that those tests do not depend on what real shapes read out of frames.
 */
import type { AnswerDecoder, CalledDialect, UpstreamRefusal } from "../../server/dialects/called.ts";
import { type ChatEvent, textOf } from "../../server/domain/chat.ts";
import { Failure, type FailureCode } from "../../server/domain/failure.ts";
import type { UpstreamUsage } from "../../server/domain/upstream-usage.ts";
import { noTimings } from "../../server/domain/usage.ts";

interface Chunk {
  readonly error?: { readonly message: string };
  readonly choices?: readonly { readonly delta?: { content?: string }; readonly finish_reason?: string | null }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
}

export const plainCalled: CalledDialect = {
  id: "openai-chat",
  encodeRequest: (request, { model, maxTokens, extraBody }) => ({
    path: "/chat/completions",
    headers: {},
    body: JSON.stringify({
      model,
      stream: request.stream,
      ...(request.stream ? { stream_options: { include_usage: true } } : {}),
      ...(maxTokens === null ? {} : { max_completion_tokens: maxTokens }),
      messages: request.messages.map(({ role, content }) => ({ role, content: textOf(content) })),
      ...extraBody,
    }),
  }),
  decoder: () => plainDecoder(),
  decodeFailure: refusalOf,
  models: {
    path: "/models",
    ids: (body) => (body as { data?: { id: string }[] }).data?.map(({ id }) => id) ?? [],
  },
};

function plainDecoder(): AnswerDecoder {
  let used = usage(0, 0);
  let isFinished = false;
  const end = (): readonly ChatEvent[] => [
    { type: "finished", finishReason: "stop", usage: used.usage, upstream: used, timings: noTimings },
  ];
  const failed = (code: FailureCode, message: string): readonly ChatEvent[] => [
    { type: "failed", failure: new Failure(code, message), usage: used.usage, upstream: used, timings: noTimings },
  ];
  const take = ({ usage: said }: Chunk) => {
    if (said != null) used = usage(said.prompt_tokens, said.completion_tokens);
  };
  return {
    frame: ({ event, data }) => {
      const wire = { dialect: "openai-chat", event, data };
      if (data === "[DONE]") return end();
      const chunk = parsed(data);
      if (chunk === null) return failed("upstream_failed", "What came is no JSON.");
      if (chunk.error !== undefined) return failed("upstream_failed", chunk.error.message);
      take(chunk);
      isFinished ||= chunk.choices?.some(({ finish_reason: reason }) => reason != null) ?? false;
      const text = chunk.choices?.[0]?.delta?.content ?? "";
      if (text !== "") used = usage(used.usage.promptTokens, used.usage.completionTokens + 1);
      return text === "" ? [{ type: "frame", wire }] : [{ type: "text", text, wire }];
    },
    ended: () => (isFinished ? end() : failed("upstream_cut", "The answer broke off.")),
    whole: (body) => {
      const answer = parsed(body) as (Chunk & { choices?: { message?: { content?: string } }[] }) | null;
      if (answer === null) return failed("upstream_failed", "What came is no JSON.");
      if (answer.error !== undefined) return failed("upstream_failed", answer.error.message);
      take(answer);
      return [{ type: "text", text: answer.choices?.[0]?.message?.content ?? "" }, ...end()];
    },
    used: () => used,
  };
}

function parsed(text: string): Chunk | null {
  try {
    return JSON.parse(text) as Chunk;
  } catch {
    return null;
  }
}

function usage(promptTokens: number, completionTokens: number): UpstreamUsage {
  return {
    usage: { promptTokens, completionTokens, cachedTokens: 0, reasoningTokens: 0 },
    audio: { promptTokens: 0, cachedTokens: 0, completionTokens: 0 },
    serviceTier: "standard",
    toolCalls: {},
    reported: null,
    flags: [],
    raw: null,
  };
}

const codes: Readonly<Record<number, FailureCode>> = Object.freeze({
  400: "upstream_invalid_request",
  401: "upstream_key_refused",
  402: "upstream_quota",
  403: "upstream_key_refused",
  404: "upstream_model_missing",
  429: "upstream_rate_limited",
  503: "upstream_overloaded",
  529: "upstream_overloaded",
});

function refusalOf({ status, headers, body }: UpstreamRefusal): Failure {
  const { error } = (parsed(body) as { error?: { message?: string; code?: string } } | null) ?? {};
  const code = error?.code === "insufficient_quota" ? "upstream_quota" : (codes[status] ?? "upstream_failed");
  const seconds = Number(headers["retry-after"]);
  return new Failure(code, error?.message ?? `It answered ${status}.`, {
    coolDownMs: Number.isFinite(seconds) ? seconds * 1000 : null,
  });
}
