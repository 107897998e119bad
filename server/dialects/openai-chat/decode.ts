/**
 * An OpenAI chat body → `ChatRequest`. Pure; runs in the server process; imports the domain only.
 *
 * The schema has judged the form; here the meaning is judged: what is asked for and cannot be given is refused by name
 * (never a silently weaker answer), what merely does not concern us is dropped.
 */
import type {
  ChatMessage,
  ChatRequest,
  ResponseFormat,
  ToolCall,
  ToolChoice,
  ToolDefinition,
} from "../../domain/chat.ts";
import { badField, fieldFailure } from "../field-failure.ts";
import { samplingOf, stopOf } from "../openai-sampling.ts";
import { contentOf, textPart } from "./content.ts";
import { blocksIn } from "./reasoning-details.ts";
import { cacheOf, wishesOf } from "./wishes.ts";
import { chatBody, type WireChatBody, type WireMessage, type WireToolCall } from "./schema.ts";

/** Throws Failure `invalid_request` with `param`. `body` is parsed JSON. */
export function decodeChat(body: unknown): ChatRequest {
  const parsed = chatBody.safeParse(body);
  if (!parsed.success) throw fieldFailure(parsed.error);
  const wire = parsed.data;
  refuseWhatWeCannotGive(wire);
  const tools = toolsOf(wire);
  return {
    model: wire.model,
    messages: messagesOf(wire.messages),
    completion: null,
    tools,
    toolChoice: toolChoiceOf(wire, tools),
    parallelToolCalls: wire.parallel_tool_calls ?? true,
    responseFormat: responseFormatOf(wire),
    sampling: samplingOf(wire),
    maxTokens: wire.max_completion_tokens ?? wire.max_tokens ?? null,
    choices: wire.n ?? 1,
    logprobs: wire.logprobs === true ? { top: wire.top_logprobs ?? 0 } : null,
    stop: stopOf(wire.stop),
    ignoreEos: wire.ignore_eos ?? false,
    cachePrompt: wire.cache_prompt ?? true,
    cacheKey: wire.prompt_cache_key ?? null,
    stream: wire.stream ?? false,
    includeUsage: wire.stream_options?.include_usage ?? false,
    ...wishesOf(wire),
    wire: { dialect: "openai-chat", body: body as Readonly<Record<string, unknown>> },
  };
}

function refuseWhatWeCannotGive(wire: WireChatBody): void {
  if ((wire.top_logprobs ?? 0) > 0 && wire.logprobs !== true) {
    throw badField("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.");
  }
  if (wire.modalities?.some((modality) => modality !== "text")) {
    throw badField("modalities", "Only text can be generated: 'modalities' may hold nothing but \"text\".");
  }
  if ((wire.functions?.length ?? 0) > 0) {
    throw badField("functions", "The old 'functions' field is not served: send 'tools'.");
  }
}

function messagesOf(wire: readonly WireMessage[]): readonly ChatMessage[] {
  const callIds = new Set<string>();
  return wire.map((message, index) => messageOf(message, `messages[${index}]`, callIds));
}

/** `callIds`: the tool calls made so far in this conversation; this message's own are added. */
function messageOf(message: WireMessage, param: string, callIds: Set<string>): ChatMessage {
  const content = contentOf(message.content ?? null, `${param}.content`);
  switch (message.role) {
    case "system":
    case "developer":
      return { role: "system", content };
    case "user":
      return { role: "user", content };
    case "assistant": {
      const toolCalls = (message.tool_calls ?? []).map(toolCallOf);
      for (const call of toolCalls) callIds.add(call.id);
      const said = content.length === 0 && message.refusal ? [textPart(message.refusal)] : content;
      const thought = message.reasoning_content ?? message.reasoning;
      const reasoning = typeof thought === "string" ? thought : null;
      const blocks = blocksIn(message.reasoning_details);
      return {
        ...{ role: "assistant", content: said, reasoning, toolCalls },
        ...(blocks.length === 0 ? {} : { reasoningBlocks: blocks }),
      };
    }
    case "tool": {
      const field = `${param}.tool_call_id`;
      if (!callIds.has(message.tool_call_id)) {
        throw badField(field, `No earlier assistant message made the tool call that '${field}' answers.`);
      }
      return { role: "tool", toolCallId: message.tool_call_id, content };
    }
  }
}

function toolCallOf(call: WireToolCall): ToolCall {
  const written = call.function.arguments;
  const signature = call.extra_content?.google.thought_signature;
  return {
    id: call.id,
    name: call.function.name,
    arguments: typeof written === "string" ? written : JSON.stringify(written),
    ...(signature === undefined ? {} : { signature }),
  };
}

function toolsOf(wire: WireChatBody): readonly ToolDefinition[] {
  const tools: ToolDefinition[] = [];
  for (const tool of wire.tools ?? []) {
    if (!("function" in tool)) continue;
    const { name, description, parameters, strict } = tool.function;
    tools.push({
      name,
      description: description ?? null,
      parameters: parameters ?? null,
      ...(typeof strict === "boolean" ? { strict } : {}),
      ...cacheOf(tool.cache_control),
    });
  }
  return tools;
}

function toolChoiceOf(wire: WireChatBody, tools: readonly ToolDefinition[]): ToolChoice {
  const wished = wire.tool_choice ?? "auto";
  const choice: ToolChoice =
    typeof wished === "string"
      ? { type: wished }
      : "function" in wished
        ? { type: "named", name: wished.function.name }
        : { type: wished.type };
  if (choice.type === "required" && tools.length === 0) {
    throw badField("tool_choice", "'tool_choice' asks for a call, but 'tools' holds no function.");
  }
  if (choice.type === "named" && !tools.some((tool) => tool.name === choice.name)) {
    throw badField("tool_choice", "'tool_choice' names a function that 'tools' does not hold.");
  }
  return choice;
}

function responseFormatOf(wire: WireChatBody): ResponseFormat {
  const wished = wire.response_format;
  if (wished === undefined || wished === null || wished.type === "text") return { type: "text" };
  if (wished.type === "json_schema") {
    return { type: "json-schema", schema: wished.json_schema.schema, param: "response_format.json_schema.schema" };
  }
  if (wished.schema) return { type: "json-schema", schema: wished.schema, param: "response_format.schema" };
  return { type: "json-object" };
}
