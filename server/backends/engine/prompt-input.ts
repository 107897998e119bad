/** A chat request → what chat templates are given, and the limits of the answer. Pure. Runs in the server process. */
import { type ChatMessage, type ChatRequest, textOf } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import type { ChatPrompt, PromptInput, TemplateMessage } from "./preparation/protocol.ts";
import type { GenerateOptions } from "./protocol.ts";

export function promptInput(request: ChatRequest): PromptInput {
  return request.completion === null ? chatPrompt(request) : { type: "raw", ...request.completion };
}

export function chatPrompt(request: ChatRequest): ChatPrompt {
  const tools = request.toolChoice.type === "none" ? [] : request.tools;
  return {
    type: "chat",
    messages: templateMessages(request.messages),
    tools: tools.map((tool) => ({
      type: "function",
      function: {
        name: tool.name,
        description: tool.description ?? "",
        parameters: tool.parameters ?? { type: "object", properties: {} },
      },
    })),
    ...(request.reasoning?.effort === "none" ? { withoutThinking: true } : {}),
  };
}

/** A result bears the name of the function that gave it: some templates print it. */
function templateMessages(messages: readonly ChatMessage[]): TemplateMessage[] {
  const names = new Map<string, string>();
  return messages.map((message, index) => {
    refuseWhatIsNoText(message, index);
    if (message.role === "assistant") for (const call of message.toolCalls) names.set(call.id, call.name);
    return templateMessage(message, message.role === "tool" ? names.get(message.toolCallId) : undefined);
  });
}

/** Left out silently, an image would be answered without having been seen. */
function refuseWhatIsNoText({ content }: ChatMessage, index: number): void {
  const at = content.findIndex((part) => part.type !== "text");
  if (at < 0) return;
  const what = content[at]?.type === "image" ? "An image" : "A file";
  throw new Failure("unsupported", `${what} was sent, but this model reads text only.`, {
    param: `messages[${index}].content[${at}]`,
  });
}

function templateMessage(message: ChatMessage, resultOf: string | undefined): TemplateMessage {
  const content = textOf(message.content);
  if (message.role === "tool") {
    const name = resultOf === undefined ? {} : { name: resultOf };
    return { role: "tool", content, tool_call_id: message.toolCallId, ...name };
  }
  if (message.role !== "assistant") return { role: message.role, content };
  return {
    role: "assistant",
    content,
    ...(message.reasoning === null ? {} : { reasoning_content: message.reasoning, thinking: message.reasoning }),
    ...(message.toolCalls.length === 0
      ? {}
      : {
          tool_calls: message.toolCalls.map((call) => ({
            id: call.id,
            type: "function" as const,
            function: {
              name: call.name,
              arguments: call.custom === true ? { input: call.arguments } : parsedArguments(call.arguments),
            },
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
/**
 * `roomTokens` is what the slot has left behind the prompt: a larger wish is cut to it, as agents expect. `gbnf` is what the
 * answer must follow, from `grammarFor`; `markers` are the control tokens its reader wants to see. Stop strings do not reach
 * into a forced call: half a JSON text would help nobody.
 */
export function generateOptions(
  request: ChatRequest,
  roomTokens: number,
  gbnf: string | null,
  markers: readonly string[],
): GenerateOptions {
  const { logitBias, ...sampling } = request.sampling;
  return {
    sampling: { ...sampling, logitBias: [...logitBias] },
    maxTokens: Math.min(request.maxTokens ?? roomTokens, roomTokens),
    stop: forcesToolCall(request) ? [] : request.stop,
    ignoreEos: request.ignoreEos,
    cachePrompt: request.cachePrompt,
    grammar: gbnf,
    logprobs: request.logprobs,
    markers,
  };
}
