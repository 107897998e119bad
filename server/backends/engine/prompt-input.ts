/** A chat request → what chat templates are given, and the limits of the answer. Pure. Runs in the server process. */
import { type ChatMessage, type ChatRequest, textOf } from "../../domain/chat.ts";
import type { PromptInput, TemplateMessage } from "./preparation/protocol.ts";
import type { GenerateOptions } from "./protocol.ts";

export function promptInput(request: ChatRequest): PromptInput {
  if (request.completion !== null) return { type: "raw", ...request.completion };
  const tools = request.toolChoice.type === "none" ? [] : request.tools;
  return {
    type: "chat",
    messages: request.messages.map(templateMessage),
    tools: tools.map((tool) => ({
      type: "function",
      function: {
        name: tool.name,
        description: tool.description ?? "",
        parameters: tool.parameters ?? { type: "object", properties: {} },
      },
    })),
  };
}

function templateMessage(message: ChatMessage): TemplateMessage {
  const content = textOf(message.content);
  if (message.role === "tool") return { role: "tool", content, tool_call_id: message.toolCallId };
  if (message.role !== "assistant") return { role: message.role, content };
  return {
    role: "assistant",
    content,
    ...(message.reasoning === null ? {} : { reasoning_content: message.reasoning }),
    ...(message.toolCalls.length === 0
      ? {}
      : {
          tool_calls: message.toolCalls.map((call) => ({
            id: call.id,
            type: "function" as const,
            function: { name: call.name, arguments: parsedArguments(call.arguments) },
          })),
        }),
  };
}

/** Templates print arguments with their own JSON filter, so they want the value; text that is no JSON stays text. */
function parsedArguments(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** True when the answer has to be a tool call. */
export function forcesToolCall(request: ChatRequest): boolean {
  return request.toolChoice.type === "required" || request.toolChoice.type === "named";
}

/**
 * `roomTokens` is what the slot has left behind the prompt: a larger wish is cut to it, as agents expect. `gbnf` is what the
 * answer must follow, from `grammarFor`.
 */
export function generateOptions(request: ChatRequest, roomTokens: number, gbnf: string | null): GenerateOptions {
  const { logitBias, ...sampling } = request.sampling;
  return {
    sampling: { ...sampling, logitBias: [...logitBias] },
    maxTokens: Math.min(request.maxTokens ?? roomTokens, roomTokens),
    stop: request.stop,
    ignoreEos: request.ignoreEos,
    cachePrompt: request.cachePrompt,
    grammar: gbnf,
    logprobs: request.logprobs,
  };
}
