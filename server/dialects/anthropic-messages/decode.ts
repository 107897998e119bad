/**
 * A Messages body → `ChatRequest`. Pure; runs in the server process; imports the domain only.
 *
 * The schema has judged the form; here the meaning is judged. The body itself goes along (`wire`): an upstream that speaks
 * Messages gets what was sent, also what has no word here.
 */
import { noSamplingWishes } from "../../domain/plain-request.ts";
import type { ChatRequest, ReasoningWish, ResponseFormat, ToolChoice, ToolDefinition } from "../../domain/chat.ts";
import { badField, fieldFailure } from "../field-failure.ts";
import { cacheOf, messagesOf, textParts } from "./messages.ts";
import { countBody, messagesBody, type WireCountBody, type WireMessagesBody } from "./schema.ts";
import { dialectId } from "./signature.ts";

/** Throws Failure `invalid_request` with `param`. `body` is parsed JSON. */
export function decodeChat(body: unknown): ChatRequest {
  const parsed = messagesBody.safeParse(body);
  if (!parsed.success) throw fieldFailure(parsed.error);
  const wire = parsed.data;
  const { temperature, top_p: topP, top_k: topK } = wire;
  // With 0 a provider only fills its cache; a model here says one token, which is the least it can say.
  const maxTokens = Math.max(1, wire.max_tokens);
  return {
    ...promptOf(wire, body, maxTokens),
    sampling: {
      ...noSamplingWishes,
      temperature: temperature ?? null,
      topP: topP ?? null,
      topK: topK === undefined || topK === null ? null : Math.max(0, topK),
    },
    maxTokens,
    stop: (wire.stop_sequences ?? []).filter((text) => text !== ""),
    stream: wire.stream ?? false,
    ...(wire.service_tier === "standard_only" ? { serviceTier: "standard" as const } : {}),
    ...(wire.metadata?.user_id ? { endUser: wire.metadata.user_id } : {}),
  };
}

/** A body of `count_tokens`: a prompt that wants no answer. */
export function decodeCount(body: unknown): ChatRequest {
  const parsed = countBody.safeParse(body);
  if (!parsed.success) throw fieldFailure(parsed.error);
  return promptOf(parsed.data, body, null);
}

function promptOf(wire: WireCountBody, body: unknown, maxTokens: number | null): ChatRequest {
  const system = textParts(wire.system ?? []);
  const tools = toolsOf(wire);
  const reasoning = reasoningOf(wire, maxTokens);
  return {
    model: wire.model,
    messages: [
      ...(system.length === 0 ? [] : [{ role: "system" as const, content: system }]),
      ...messagesOf(wire.messages),
    ],
    completion: null,
    tools,
    toolChoice: toolChoiceOf(wire, tools),
    parallelToolCalls: !(wire.tool_choice && "disable_parallel_tool_use" in wire.tool_choice
      ? wire.tool_choice.disable_parallel_tool_use
      : false),
    responseFormat: responseFormatOf(wire),
    sampling: noSamplingWishes,
    maxTokens,
    choices: 1,
    logprobs: null,
    stop: [],
    ignoreEos: false,
    cachePrompt: true,
    cacheKey: null,
    stream: false,
    // Messages always says what was used, whole and streamed.
    includeUsage: true,
    ...(reasoning === null ? {} : { reasoning }),
    wire: { dialect: dialectId, body: body as Readonly<Record<string, unknown>> },
  };
}

function toolsOf(wire: WireCountBody): readonly ToolDefinition[] {
  return (wire.tools ?? []).flatMap((tool) => {
    if (!("input_schema" in tool)) return [];
    const { name, description, input_schema: parameters, strict } = tool;
    return {
      ...{ name, description: description ?? null, parameters },
      ...(typeof strict === "boolean" ? { strict } : {}),
      ...cacheOf(tool.cache_control),
    };
  });
}

function toolChoiceOf(wire: WireCountBody, tools: readonly ToolDefinition[]): ToolChoice {
  const wished = wire.tool_choice ?? { type: "auto" as const };
  const vendors = (wire.tools ?? []).filter((tool) => !("input_schema" in tool));
  switch (wished.type) {
    case "auto":
    case "none":
      return { type: wished.type };
    case "any":
      if (tools.length > 0) return { type: "required" };
      if (vendors.length > 0) return { type: "auto" };
      throw badField("tool_choice", "'tool_choice' asks for a call, but 'tools' holds no tool.");
    case "tool":
      if (tools.some((tool) => tool.name === wished.name)) return { type: "named", name: wished.name };
      if (vendors.some((tool) => "name" in tool && tool.name === wished.name)) return { type: "auto" };
      throw badField("tool_choice.name", "'tool_choice.name' names a tool that 'tools' does not hold.");
  }
}

/** What of `max_tokens` may be thought: agents send budgets that are larger than all of the answer. */
export function boundedBudget(budgetTokens: number, maxTokens: number | null): number {
  return maxTokens === null ? budgetTokens : Math.min(budgetTokens, Math.max(1, maxTokens - 1));
}

function reasoningOf(wire: WireCountBody, maxTokens: number | null): ReasoningWish | null {
  const { thinking } = wire;
  const wished = wire.output_config?.effort ?? null;
  const effort = wished === "max" ? "xhigh" : wished;
  if (thinking?.type === "disabled") return { effort: "none", budgetTokens: null, summary: null };
  if (!thinking) return effort === null ? null : { effort, budgetTokens: null, summary: null };
  const summary = thinking.display === "omitted" ? null : "auto";
  if (thinking.type === "adaptive") return { effort, budgetTokens: null, summary };
  return { effort, budgetTokens: boundedBudget(thinking.budget_tokens, maxTokens), summary };
}

function responseFormatOf(wire: WireCountBody | WireMessagesBody): ResponseFormat {
  const format = wire.output_config?.format;
  if (!format) return { type: "text" };
  return { type: "json-schema", schema: format.schema, param: "output_config.format.schema" };
}
