/**
 * `ChatRequest` → one call of Anthropic's Messages. Pure. A body of the same wire shape goes as it came but for the closed list
 * of edits (`passed-body.ts`); any other is translated here.
 */
import type { ChatRequest } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { calledMessages } from "../called-messages.ts";
import { samplingLeftOut } from "../called-sampling.ts";
import type { CallFacts, WireCall } from "../called.ts";
import { namedTools } from "../tool-names.ts";
import { wireConversation } from "./call-messages.ts";
import { wireThinking } from "./call-thinking.ts";
import { answersByTool, wireTools } from "./call-tools.ts";
import { claudeModel } from "./claude-model.ts";
import { closedSchema } from "./closed-schema.ts";
import { passedBody, passedCountBody } from "./passed-body.ts";
import { dialectId } from "./signature.ts";

/** The shape cannot do without a bound. Every model of Anthropic's that is still served allows it. */
const defaultMaxTokens = 8_192;
const oldestVersion = "2023-06-01";
/** Marks one request may carry; of more, the last ones are the longest prefixes. */
const mostCacheMarks = 4;

export function encodeRequest(request: ChatRequest, facts: CallFacts): WireCall {
  const own = ownBody(request);
  if (own !== null) return call("/messages", request, { ...passedBody(own, facts), ...facts.extraBody });
  const body = translated(request, facts);
  return { ...call("/messages", request, { ...body, ...facts.extraBody }), leftOut: samplingLeftOut(request, body) };
}

export function encodeCount(request: ChatRequest, facts: CallFacts): WireCall {
  const own = ownBody(request);
  if (own !== null) return call("/messages/count_tokens", request, passedCountBody(own, facts));
  const { model, system, messages, tools, tool_choice } = translated(request, facts);
  return call("/messages/count_tokens", request, { model, system, messages, tools, tool_choice });
}

/** Null: it came in another shape. */
function ownBody({ wire }: ChatRequest): Readonly<Record<string, unknown>> | null {
  return wire?.dialect === dialectId ? wire.body : null;
}

function call(path: string, request: ChatRequest, body: object): WireCall {
  const own = request.wire?.dialect === dialectId ? (request.wire.headers ?? {}) : {};
  const { "anthropic-version": version = oldestVersion, "anthropic-beta": beta } = own;
  return {
    path,
    headers: {
      "content-type": "application/json",
      "anthropic-version": version,
      ...(beta === undefined ? {} : { "anthropic-beta": beta }),
    },
    body: JSON.stringify(body),
  };
}

interface TranslatedBody {
  readonly model: string;
  readonly system?: unknown;
  readonly messages: unknown;
  readonly tools?: unknown;
  readonly tool_choice?: unknown;
  readonly [field: string]: unknown;
}

function translated(request: ChatRequest, facts: CallFacts): TranslatedBody {
  refuseWhatItCannotCarry(request);
  const maxTokens = facts.maxTokens ?? request.maxTokens ?? defaultMaxTokens;
  const named = namedTools(request.tools);
  const { system, messages } = wireConversation(calledMessages(request), named);
  const thinking = answersByTool(request) ? {} : wireThinking(request, maxTokens, facts);
  const thinks = thinking.thinking !== undefined && thinking.thinking.type !== "disabled";
  const stop = request.stop.filter((text) => text.trim() !== "");
  return withFewMarks({
    model: facts.model,
    max_tokens: maxTokens,
    ...(system.length === 0 ? {} : { system }),
    messages,
    ...wireTools(request, named),
    ...(claudeModel(facts.model)?.samples === false ? {} : wireSampling(request, thinks)),
    ...(thinking.thinking === undefined ? {} : { thinking: thinking.thinking }),
    ...outputConfig(request, thinking.effort),
    ...(stop.length === 0 ? {} : { stop_sequences: stop }),
    ...(request.endUser === undefined ? {} : { metadata: { user_id: request.endUser } }),
    ...serviceTier(request),
    ...(request.stream ? { stream: true } : {}),
  });
}

function refuseWhatItCannotCarry({
  choices,
  logprobs,
  responseFormat,
  tools,
  toolChoice,
  sampling,
}: ChatRequest): void {
  const refuse = (param: string, what: string): never => {
    throw new Failure("unsupported", `This provider ${what}.`, { param });
  };
  if (choices > 1) refuse("n", "gives one answer to one request");
  if (logprobs !== null) refuse("logprobs", "does not tell log-probabilities");
  if (sampling.logitBias.size > 0) refuse("logit_bias", "does not take 'logit_bias'");
  if (responseFormat.type === "json-object" && tools.length > 0 && toolChoice.type !== "none") {
    refuse("response_format", "cannot answer in JSON without a schema while it may call tools");
  }
}

/** While it thinks it samples as it likes; newer models take one of `temperature` and `top_p`. */
function wireSampling({ sampling }: ChatRequest, thinks: boolean): object {
  const { temperature, topP, topK } = sampling;
  if (thinks) return topP !== null && topP >= 0.95 ? { top_p: topP } : {};
  return {
    // Its scale ends at 1.
    ...(temperature === null ? {} : { temperature: Math.min(temperature, 1) }),
    ...(topP === null || temperature !== null ? {} : { top_p: topP }),
    ...(topK === null || topK === 0 ? {} : { top_k: topK }),
  };
}

function outputConfig({ responseFormat }: ChatRequest, effort: string | undefined): object {
  const format =
    responseFormat.type === "json-schema"
      ? { format: { type: "json_schema", schema: closedSchema(responseFormat.schema) } }
      : {};
  const config = { ...(effort === undefined ? {} : { effort }), ...format };
  return Object.keys(config).length === 0 ? {} : { output_config: config };
}

function serviceTier({ serviceTier: tier }: ChatRequest): object {
  if (tier === "standard") return { service_tier: "standard_only" };
  return tier === "priority" ? { service_tier: "auto" } : {};
}

/** Keeps the last marks, in the order the prompt is read in: tools, system, messages. */
function withFewMarks(body: TranslatedBody): TranslatedBody {
  const parts = ["tools", "system", "messages"].map((part) => body[part] ?? null);
  let left = parts.reduce((sum: number, part) => sum + countMarks(part), 0) - mostCacheMarks;
  if (left <= 0) return body;
  const thin = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(thin);
    if (typeof value !== "object" || value === null) return value;
    const { cache_control: mark, ...rest } = value as Record<string, unknown>;
    const inner = "content" in rest ? { ...rest, content: thin(rest.content) } : rest;
    if (mark === undefined) return inner;
    left -= 1;
    return left >= 0 ? inner : { ...inner, cache_control: mark };
  };
  const [tools, system, messages] = parts.map(thin);
  return {
    ...body,
    ...(tools === null ? {} : { tools }),
    ...(system === null ? {} : { system }),
    messages,
  };
}

function countMarks(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + countMarks(one), 0);
  if (typeof value !== "object" || value === null) return 0;
  return ("cache_control" in value ? 1 : 0) + ("content" in value ? countMarks(value.content) : 0);
}
