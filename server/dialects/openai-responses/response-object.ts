/** The response object: what was asked, echoed, and what came of it. Pure. */
import type { ChatRequest, FinishReason } from "../../domain/chat.ts";
import type { Usage } from "../../domain/usage.ts";
import type { ReplyFacts } from "../dialect.ts";

export type WireObject = Readonly<Record<string, unknown>>;

/** `resp_` and the characters of the request's id. */
export function responseId(requestId: string): string {
  return `resp_${bare(requestId)}`;
}

/** `rs_<request>_<n>`: names that are made here can be told from those of others. */
export function itemId(prefix: "msg" | "rs" | "fc" | "ctc", requestId: string, index: number): string {
  return `${prefix}_${bare(requestId)}_${index}`;
}

const inputPrefixes: Readonly<Record<string, string>> = Object.freeze({
  message: "msg",
  reasoning: "rs",
  function_call: "fc",
  function_call_output: "fco",
  custom_tool_call: "ctc",
  custom_tool_call_output: "ctco",
});

/** Items a client sent, each with an id: its own, or one that tells it from all others. */
export function namedItems(items: readonly WireObject[], requestId: string): readonly WireObject[] {
  return items.map((item, index) => {
    const type = typeof item.type === "string" ? item.type : "message";
    if (typeof item.id === "string" && item.id !== "") return { ...item, type };
    return { ...item, type, id: `${inputPrefixes[type] ?? "item"}_${bare(requestId)}_in${index}` };
  });
}

function bare(requestId: string): string {
  return requestId.replace(/^req_/, "");
}

/** True for reasoning whose item was made by this encoder: it is the text of another model, and no upstream knows it. */
export function isMadeHere(id: unknown): boolean {
  return typeof id === "string" && /^rs_[0-9A-Za-z]{1,22}_\d+$/.test(id);
}

/** Everything of it that is known when it begins. */
export function openingResponse(request: ChatRequest, facts: ReplyFacts): WireObject {
  const body = request.wire?.body ?? {};
  const asked = (field: string): unknown => body[field] ?? null;
  return {
    id: responseId(facts.requestId),
    object: "response",
    created_at: facts.createdAtS,
    completed_at: null,
    status: "in_progress",
    background: false,
    error: null,
    incomplete_details: null,
    instructions: asked("instructions"),
    max_output_tokens: asked("max_output_tokens"),
    max_tool_calls: asked("max_tool_calls"),
    model: facts.model,
    output: [],
    parallel_tool_calls: request.parallelToolCalls,
    previous_response_id: asked("previous_response_id"),
    prompt_cache_key: asked("prompt_cache_key"),
    reasoning: { effort: null, summary: null, ...object(body.reasoning) },
    safety_identifier: asked("safety_identifier"),
    service_tier: asked("service_tier") ?? "default",
    store: body.store === true,
    temperature: request.sampling.temperature ?? 1,
    text: { format: { type: "text" }, ...object(body.text) },
    tool_choice: asked("tool_choice") ?? "auto",
    tools: asked("tools") ?? [],
    top_logprobs: asked("top_logprobs") ?? 0,
    top_p: request.sampling.topP ?? 1,
    presence_penalty: request.sampling.presencePenalty ?? 0,
    frequency_penalty: request.sampling.frequencyPenalty ?? 0,
    truncation: "disabled",
    usage: null,
    user: asked("user"),
    metadata: object(body.metadata) ?? {},
  };
}

function object(value: unknown): object | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
}

/** What an end adds to it. */
export function ending(finishReason: FinishReason): {
  readonly status: "completed" | "incomplete";
  readonly incomplete_details: object | null;
} {
  if (finishReason === "length") return { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
  if (finishReason === "content-filter") {
    return { status: "incomplete", incomplete_details: { reason: "content_filter" } };
  }
  return { status: "completed", incomplete_details: null };
}

export function wireUsage(usage: Usage): object {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}
