/** Requests of our own to models on the side, and reading what they say. Pure; no request of a client's goes out from here. */
import type { ChatEvent, ChatMessage, ChatRequest, JsonSchema } from "../../domain/chat.ts";
import { textOf } from "../../domain/chat.ts";
import { shownTokens } from "../../domain/routing/modes/asides.ts";

/** Like the client's request in who asks and how it is served, with messages of ours: nothing of the wire goes with it. */
export function withMessages(request: ChatRequest, messages: readonly ChatMessage[]): ChatRequest {
  const { wire: _wire, reasoning: _reasoning, notes: _notes, ...rest } = request;
  return { ...rest, messages, completion: null };
}

/** A question with an answer of this schema. */
export function question(
  request: ChatRequest,
  system: string,
  user: string,
  wants: { readonly schema: JsonSchema | null; readonly maxTokens: number },
): ChatRequest {
  return {
    ...withMessages(request, [message("system", system), message("user", user)]),
    tools: [],
    toolChoice: { type: "auto" },
    responseFormat:
      wants.schema === null
        ? { type: "text" }
        : { type: "json-schema", schema: wants.schema, param: "response_format" },
    sampling: { ...request.sampling, temperature: 0, logitBias: new Map() },
    maxTokens: wants.maxTokens,
    choices: 1,
    logprobs: null,
    stop: [],
    ignoreEos: false,
  };
}

export function message(role: "system" | "user", text: string): ChatMessage {
  return { role, content: [{ type: "text", text }] };
}

/** The conversation as plain text, for a model that is asked about it. */
export function transcript(messages: readonly ChatMessage[]): string {
  return messages
    .map((one) => {
      const calls =
        one.role === "assistant" ? one.toolCalls.map((call) => `[calls ${call.name} ${call.arguments}]`) : [];
      const others = one.content.some((part) => part.type !== "text") ? ["[with an image or file]"] : [];
      return `${one.role}: ${[textOf(one.content), ...others, ...calls].filter((text) => text !== "").join("\n")}`;
    })
    .join("\n\n");
}

/** Characters of a token, about. */
const tokenCharacters = 4;

/** What was asked, short enough for a small model: its end says what is wanted. */
export function asked(request: ChatRequest): string {
  const text =
    request.completion === null ? transcript(request.messages) : request.completion.prompts.filter(isText).join("\n");
  const most = shownTokens * tokenCharacters;
  if (text.length <= most) return text;
  return `${text.slice(0, most / 4)}\n[…]\n${text.slice(text.length - (most * 3) / 4)}`.toWellFormed();
}

function isText(prompt: unknown): prompt is string {
  return typeof prompt === "string";
}

/** What a client would read, thinking left out; of several answers all. */
export function answerText(events: readonly ChatEvent[]): string {
  return events.map((event) => (event.type === "text" ? event.text : "")).join("");
}

/** The JSON a model answered with; models put fences around it. Undefined: it is none. */
export function answerJson(events: readonly ChatEvent[]): unknown {
  const text = answerText(events)
    .trim()
    .replace(/^```(?:json)?\s*/iu, "")
    .replace(/\s*```$/u, "");
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
