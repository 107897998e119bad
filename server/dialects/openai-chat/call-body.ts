/**
 * `ChatRequest` → the body an upstream of OpenAI's chat wire gets. Pure; imports the domain only.
 *
 * A request that came in this very shape goes as it came, but for: the model, the bound of the answer, that usage is streamed,
 * fields that only boxes like this one know, and the role `developer` where the upstream has none.
 */
import { calledSampling } from "../called-sampling.ts";
import type { ChatRequest, ReasoningWish, ResponseFormat, ServiceTier, ToolDefinition } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { calledMessages, effortWord } from "../called-messages.ts";
import type { CallFacts, CallTraits } from "../called.ts";
import { strictSchema } from "../strict-schema.ts";
import { freeTextParameters, type NamedTool, namedTools, wireNameOf } from "../tool-names.ts";
import { isWireObject } from "../usage/figures.ts";
import { cacheControl, wireMessages } from "./call-messages.ts";

type Body = Record<string, unknown>;

/** OpenAI's own bound; llama.cpp and vLLM have none. */
const mostStops = 4;
/** What llama.cpp, vLLM and this box understand and OpenAI refuses. */
const extendedFields = ["cache_prompt", "ignore_eos", "top_k", "min_p", "repeat_penalty"] as const;

export function callBody(request: ChatRequest, facts: CallFacts): Body {
  const own = request.wire?.dialect === "openai-chat" ? request.wire.body : null;
  const body = own === null ? translated(request, facts) : passed(own, request, facts);
  return { ...body, ...facts.extraBody };
}

function passed(sent: Readonly<Body>, request: ChatRequest, facts: CallFacts): Body {
  const { traits, maxTokens } = facts;
  const body: Body = { ...sent, model: facts.model };
  if (maxTokens !== null) {
    const written = "max_tokens" in sent && !("max_completion_tokens" in sent) ? "max_tokens" : "max_completion_tokens";
    delete body.max_tokens;
    delete body.max_completion_tokens;
    body[traits.maxTokensField ?? written] = maxTokens;
  }
  if (request.stream) {
    body.stream = true;
    const options = isWireObject(sent.stream_options) ? sent.stream_options : {};
    if (traits.noStreamOptions === true) delete body.stream_options;
    else body.stream_options = { ...options, include_usage: true };
  } else {
    if (sent.stream === true) body.stream = false;
    delete body.stream_options;
  }
  if (traits.extendedSampling !== true) for (const field of extendedFields) delete body[field];
  if (traits.noDeveloperRole === true && Array.isArray(sent.messages)) {
    body.messages = sent.messages.map((message: unknown) =>
      isWireObject(message) && message.role === "developer" ? { ...message, role: "system" } : message,
    );
  }
  return body;
}

function translated(request: ChatRequest, { model, maxTokens, traits }: CallFacts): Body {
  const tools = namedTools(request.tools);
  const { stop } = request;
  if (stop.length > mostStops && traits.extendedSampling !== true) {
    throw new Failure("unsupported", `This upstream takes at most ${mostStops} stop strings.`, { param: "stop" });
  }
  return {
    model,
    messages: wireMessages(calledMessages(request), tools, traits),
    ...(maxTokens !== null && { [traits.maxTokensField ?? "max_completion_tokens"]: maxTokens }),
    ...toolFields(request, tools, traits),
    ...formatField(request.responseFormat),
    ...calledSampling(request, { model, traits }),
    ...(stop.length > 0 && { stop }),
    ...(request.choices > 1 && { n: request.choices }),
    ...logprobsOf(request),
    ...effortOf(request.reasoning),
    ...tierOf(request.serviceTier),
    ...(request.endUser !== undefined && { user: request.endUser }),
    ...(request.cacheKey !== null && traits.promptCacheKey === true && { prompt_cache_key: request.cacheKey }),
    ...(request.stream && { stream: true }),
    ...(request.stream && traits.noStreamOptions !== true && { stream_options: { include_usage: true } }),
  };
}

function toolFields(request: ChatRequest, tools: readonly NamedTool[], traits: CallTraits): Body {
  if (tools.length === 0) return {};
  const { toolChoice } = request;
  const choice =
    toolChoice.type === "named"
      ? { type: "function", function: { name: wireNameOf(toolChoice, tools) } }
      : toolChoice.type;
  return {
    tools: tools.map(({ tool, wireName }) => ({
      type: "function",
      function: { name: wireName, ...describedAs(tool) },
      ...cacheControl(tool.cache, traits),
    })),
    ...(choice !== "auto" && { tool_choice: choice }),
    ...(!request.parallelToolCalls && { parallel_tool_calls: false }),
  };
}

function describedAs(tool: ToolDefinition): Body {
  if (tool.custom !== undefined) return { ...description(tool.description), parameters: freeTextParameters };
  return {
    ...description(tool.description),
    ...(tool.parameters !== null && { parameters: tool.parameters }),
    ...(tool.strict !== undefined && { strict: tool.strict }),
  };
}

function description(text: string | null): Body {
  return text === null ? {} : { description: text };
}

function formatField(format: ResponseFormat): Body {
  if (format.type === "text") return {};
  if (format.type === "json-object") return { response_format: { type: "json_object" } };
  const json_schema = { name: "answer", strict: true, schema: strictSchema(format.schema) };
  return { response_format: { type: "json_schema", json_schema } };
}

function logprobsOf({ logprobs }: ChatRequest): Body {
  if (logprobs === null) return {};
  return { logprobs: true, ...(logprobs.top > 0 && { top_logprobs: logprobs.top }) };
}

function effortOf(reasoning: ReasoningWish | undefined): Body {
  const effort = reasoning === undefined ? null : effortWord(reasoning);
  return effort === null ? {} : { reasoning_effort: effort };
}

/** The batch tier is another road, not a field. */
function tierOf(tier: ServiceTier | undefined): Body {
  return tier === "flex" || tier === "priority" ? { service_tier: tier } : {};
}
