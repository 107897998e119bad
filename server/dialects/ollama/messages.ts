/**
 * Ollama's messages → those of the domain. Pure; runs in the server process; imports the domain only.
 *
 * Its older clients know no ids: a call has a name, and a result names the tool. So calls get ids here, the same ones each time
 * the conversation comes, and results are given to the calls in the order in which they were made.
 */
import type { ChatMessage, ContentPart, ToolCall } from "../../domain/chat.ts";
import { badField } from "../field-failure.ts";
import { imagesOf } from "./images.ts";
import type { WireContent, WireMessage, WireToolCall } from "./schema.ts";

type ToolResult = Extract<WireMessage, { role: "tool" }>;

/** Throws Failure `invalid_request` with `param`. */
export function messagesOf(wire: readonly WireMessage[]): readonly ChatMessage[] {
  const calls = new CallsSoFar();
  const messageOf = (message: WireMessage, index: number): ChatMessage => {
    const param = `messages[${index}]`;
    const content = contentOf(message.content ?? null, message.images, `${param}.images`);
    switch (message.role) {
      case "system":
      case "user":
        return { role: message.role, content };
      case "assistant": {
        const toolCalls = (message.tool_calls ?? []).map((call, at) => calls.made(call, `call_${index}_${at}`));
        return { role: "assistant", content, reasoning: message.thinking ?? null, toolCalls };
      }
      case "tool":
        return { role: "tool", toolCallId: calls.answeredBy(message, param), content };
    }
  };
  return wire.map(messageOf);
}

function contentOf(
  wire: WireContent,
  images: readonly string[] | null | undefined,
  param: string,
): readonly ContentPart[] {
  const texts = typeof wire === "string" ? [wire] : (wire ?? []).map((part) => part.text);
  const parts = texts.filter((text) => text !== "").map((text): ContentPart => ({ type: "text", text }));
  return [...parts, ...imagesOf(images, param)];
}

/** The calls of a conversation as it is read from its beginning. */
class CallsSoFar {
  readonly #ids = new Set<string>();
  /** Nobody has answered these yet, oldest first. */
  #open: ToolCall[] = [];
  #answered: ToolCall[] = [];

  /** `ownId` is for a call that came without one, or with one that was there before. */
  made(wire: WireToolCall, ownId: string): ToolCall {
    const { name, arguments: written } = wire.function;
    const sent = wire.id ?? "";
    const call: ToolCall = {
      id: sent === "" || this.#ids.has(sent) ? ownId : sent,
      name,
      arguments: typeof written === "string" ? written : JSON.stringify(written ?? {}),
    };
    this.#ids.add(call.id);
    this.#open.push(call);
    return call;
  }

  /** The id of the call that a result is for. A result that comes twice is for the same call again. */
  answeredBy({ tool_call_id: id, tool_name: name }: ToolResult, param: string): string {
    const fits = (call: ToolCall) => (id ? call.id === id : !name || call.name === name);
    const call = this.#open.find(fits) ?? this.#answered.findLast(fits);
    if (call === undefined) {
      throw badField(param, `No earlier assistant message made the tool call that '${param}' answers.`);
    }
    this.#open = this.#open.filter((one) => one !== call);
    if (!this.#answered.includes(call)) this.#answered.push(call);
    return call.id;
  }
}
