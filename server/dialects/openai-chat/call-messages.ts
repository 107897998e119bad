/** Messages of a `ChatRequest` as OpenAI's chat wire has them, for upstreams. Pure; imports the domain only. */
import type { CacheMark, ChatMessage, ContentPart, ToolCall } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { dataUrl, resultText } from "../called-messages.ts";
import type { CallTraits } from "../called.ts";
import { argumentsText, type NamedTool, wireNameOf } from "../tool-names.ts";
import { signed } from "./whole.ts";

export function wireMessages(
  messages: readonly ChatMessage[],
  tools: readonly NamedTool[],
  traits: CallTraits,
): readonly object[] {
  const wire: object[] = [];
  /** Images out of tool results: this wire has text only there, so a user shows them after the turn's last result. */
  let shown: object[] = [];
  const show = (): void => {
    if (shown.length > 0) wire.push({ role: "user", content: shown });
    shown = [];
  };
  for (const [index, message] of messages.entries()) {
    const param = `messages[${index}].content`;
    if (message.role === "tool") {
      const others = message.content.filter((part) => part.type !== "text");
      const text = resultText(message.content, message.isError);
      const content = text === "" && others.length > 0 ? "The result follows in the next user message." : text;
      wire.push({ role: "tool", tool_call_id: message.toolCallId, content });
      if (others.length > 0) {
        shown.push({ type: "text", text: `Result of the tool call ${message.toolCallId}:` });
        shown.push(...others.map((part, at) => wirePart(part, `${param}[${at}]`, traits)));
      }
      continue;
    }
    show();
    if (message.role === "assistant") wire.push(wireAssistant(message, param, tools, traits));
    else wire.push({ role: message.role, content: wireContent(message.content, param, traits) });
  }
  show();
  return wire;
}

function wireAssistant(
  message: Extract<ChatMessage, { role: "assistant" }>,
  param: string,
  tools: readonly NamedTool[],
  traits: CallTraits,
): object {
  const calls = message.toolCalls.map((call) => wireCall(call, tools));
  const content = message.content.length === 0 ? null : wireContent(message.content, param, traits);
  const thought = message.reasoning;
  return {
    role: "assistant",
    content: content === null && calls.length === 0 ? "" : content,
    ...(traits.reasoningContent === true && thought !== null && thought !== "" ? { reasoning_content: thought } : {}),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function wireCall(call: ToolCall, tools: readonly NamedTool[]): object {
  return {
    id: call.id,
    type: "function",
    function: { name: wireNameOf(call, tools), arguments: argumentsText(call) },
    ...signed(call.signature),
  };
}

/** One text where that says everything: some upstreams know no lists. */
function wireContent(content: readonly ContentPart[], param: string, traits: CallTraits): string | readonly object[] {
  const keepsMarks = traits.cacheControl === true && content.some((part) => part.cache !== undefined);
  if (!keepsMarks && content.every((part) => part.type === "text")) {
    return content.map((part) => (part.type === "text" ? part.text : "")).join("");
  }
  return content.map((part, at) => wirePart(part, `${param}[${at}]`, traits));
}

function wirePart(part: ContentPart, param: string, traits: CallTraits): object {
  const mark = cacheControl(part.cache, traits);
  if (part.type === "text") return { type: "text", text: part.text, ...mark };
  if (part.type === "image") {
    const url = part.source.kind === "url" ? part.source.url : dataUrl(part.source);
    return { type: "image_url", image_url: { url, ...(part.detail && { detail: part.detail }) }, ...mark };
  }
  if (part.source.kind === "url") {
    throw new Failure("unsupported", "This upstream takes a file by its bytes only, not by its address.", { param });
  }
  const file = { filename: part.name ?? "file", file_data: dataUrl(part.source) };
  return { type: "file", file, ...mark };
}

export function cacheControl(mark: CacheMark | undefined, traits: CallTraits): object {
  if (mark === undefined || traits.cacheControl !== true) return {};
  return { cache_control: { type: "ephemeral", ...(mark.keep === "1h" && { ttl: "1h" }) } };
}
