/**
 * The messages of a Messages body → ours. Pure; runs in the server process; imports the domain only.
 *
 * One message of the user's may hold several results and text around them: each becomes a message of its own, in order.
 */
import type { CacheMark, ChatMessage, ContentPart, MediaSource, ReasoningBlock, ToolCall } from "../../domain/chat.ts";
import { badField } from "../field-failure.ts";
import type {
  WireAssistantBlock,
  WireCacheControl,
  WireMessage,
  WireResultBlock,
  WireSource,
  WireToolResult,
  WireUserBlock,
} from "./schema.ts";
import { dialectId, reasoningBlock } from "./signature.ts";

/** Addresses of what only Anthropic can look up. Its own calls get them back as they were; every other place refuses them. */
export const fileScheme = "anthropic-file:";
const blockScheme = "anthropic-block:";

export function messagesOf(wire: readonly WireMessage[]): readonly ChatMessage[] {
  const callIds = new Set<string>();
  return wire.flatMap((message, index): readonly ChatMessage[] => {
    if (message.role === "system") return [{ role: "system", content: textParts(message.content) }];
    if (message.role === "user") {
      const { content } = message;
      if (typeof content === "string") return [{ role: "user", content: textParts(content) }];
      return userMessages(content, `messages[${index}].content`, callIds);
    }
    const said = assistantMessage(message.content);
    for (const call of said.toolCalls) callIds.add(call.id);
    return [said];
  });
}

export function textParts(
  content: string | readonly { readonly text: string; readonly cache_control?: WireCacheControl }[],
) {
  const blocks = typeof content === "string" ? [{ text: content, cache_control: undefined }] : content;
  return blocks.flatMap(({ text, cache_control: mark }) => textPart(text, mark));
}

function textPart(text: string, mark: WireCacheControl): readonly ContentPart[] {
  return text === "" ? [] : [{ type: "text", text, ...cacheOf(mark) }];
}

/** `{}` or the mark, to be spread into what it stands on. */
export function cacheOf(mark: WireCacheControl): { readonly cache?: CacheMark } {
  if (mark === undefined || mark === null) return {};
  return { cache: { keep: mark.ttl === "1h" ? "1h" : "5m" } };
}

type AssistantMessage = Extract<ChatMessage, { role: "assistant" }>;

function assistantMessage(content: string | readonly WireAssistantBlock[]): AssistantMessage {
  if (typeof content === "string") {
    return { role: "assistant", content: textParts(content), reasoning: null, toolCalls: [] };
  }
  const parts: ContentPart[] = [];
  const thoughts: string[] = [];
  const blocks: ReasoningBlock[] = [];
  const toolCalls: ToolCall[] = [];
  for (const block of content) {
    // What a provider's own tools did (`server_tool_use`, `web_search_tool_result` …) means nothing elsewhere.
    if (!("cache_control" in block || "text" in block || "id" in block || "thinking" in block || "data" in block))
      continue;
    if ("text" in block) parts.push(...textPart(block.text, block.cache_control));
    else if ("thinking" in block) {
      thoughts.push(block.thinking);
      const signed = reasoningBlock(block.thinking, block.signature ?? null);
      if (signed !== null) blocks.push(signed);
    } else if ("data" in block) {
      blocks.push({ text: "", signature: block.data, dialect: dialectId, redacted: true });
    } else if ("id" in block) {
      toolCalls.push({
        id: block.id,
        name: block.name,
        arguments: argumentsOf(block.input),
        ...cacheOf(block.cache_control),
      });
    }
  }
  return {
    role: "assistant",
    content: parts,
    reasoning: thoughts.length === 0 ? null : thoughts.join("\n\n"),
    ...(blocks.length === 0 ? {} : { reasoningBlocks: blocks }),
    toolCalls,
  };
}

function argumentsOf(input: unknown): string {
  if (typeof input === "string") return input === "" ? "{}" : input;
  return JSON.stringify(input ?? {});
}

/** `callIds`: the tool calls made so far in this conversation. */
function userMessages(
  blocks: readonly WireUserBlock[],
  param: string,
  callIds: ReadonlySet<string>,
): readonly ChatMessage[] {
  const messages: ChatMessage[] = [];
  let parts: ContentPart[] = [];
  const flush = () => {
    if (parts.length > 0) messages.push({ role: "user", content: parts });
    parts = [];
  };
  for (const [index, block] of blocks.entries()) {
    if (!("tool_use_id" in block)) {
      parts.push(...partsOf(block));
      continue;
    }
    const field = `${param}[${index}].tool_use_id`;
    if (!callIds.has(block.tool_use_id)) {
      throw badField(field, `No earlier assistant message made the tool call that '${field}' answers.`);
    }
    flush();
    messages.push(toolMessage(block));
  }
  flush();
  // A message that says nothing is still a turn.
  return messages.length === 0 ? [{ role: "user", content: [] }] : messages;
}

function toolMessage(block: WireToolResult): ChatMessage {
  const { content = null, cache_control: mark } = block;
  const parts = typeof content === "string" ? textPart(content, undefined) : (content ?? []).flatMap(partsOf);
  const last = parts.at(-1);
  // A mark on the result stands behind all of it.
  const marked =
    last === undefined || mark === undefined ? parts : [...parts.slice(0, -1), { ...last, ...cacheOf(mark) }];
  return {
    role: "tool",
    toolCallId: block.tool_use_id,
    content: marked,
    ...(typeof block.is_error === "boolean" ? { isError: block.is_error } : {}),
  };
}

function partsOf(block: WireResultBlock): readonly ContentPart[] {
  switch (block.type) {
    case "text":
      return "text" in block ? textPart(block.text, block.cache_control) : [];
    case "search_result": {
      if (!("content" in block)) return [];
      const title = block.title ? `${block.title}\n` : "";
      return textPart(title + block.content.map((part) => part.text).join("\n"), block.cache_control);
    }
    case "tool_reference":
      return "tool_name" in block ? textPart(block.tool_name, undefined) : [];
    case "image": {
      if (!("source" in block)) return [];
      const cache = cacheOf(block.cache_control);
      const { source } = block;
      if (source.type === "text" || source.type === "content") return unknownBlock("image");
      return [{ type: "image", source: mediaOf(source), ...cache }];
    }
    case "document": {
      if (!("source" in block)) return [];
      const cache = block.cache_control;
      const { source } = block;
      const title = "title" in block ? (block.title ?? null) : null;
      const heading = title === null ? "" : `${title}\n`;
      if (source.type === "text") return textPart(heading + source.data, cache);
      if (source.type === "content") return documentParts(source.content, heading, cache);
      return [{ type: "file", source: mediaOf(source), name: title, ...cacheOf(cache) }];
    }
    default:
      return unknownBlock(block.type);
  }
}

function documentParts(
  content: string | readonly unknown[],
  heading: string,
  mark: WireCacheControl,
): readonly ContentPart[] {
  if (typeof content === "string") return textPart(heading + content, mark);
  const texts = content.map((part) => {
    const said = typeof part === "object" && part !== null && "text" in part ? part.text : null;
    return typeof said === "string" ? said : null;
  });
  if (texts.includes(null)) return unknownBlock("document");
  return textPart(heading + texts.join("\n"), mark);
}

/** Left out, it would be answered without having been seen; so it is a file that nobody but Anthropic can open. */
function unknownBlock(type: string): readonly ContentPart[] {
  return [{ type: "file", source: { kind: "url", url: `${blockScheme}${type.slice(0, 100)}` }, name: null }];
}

function mediaOf(source: Exclude<WireSource, { type: "text" | "content" }>): MediaSource {
  switch (source.type) {
    case "base64":
      return { kind: "base64", mediaType: source.media_type, data: source.data };
    case "url":
      return { kind: "url", url: source.url };
    case "file":
      return { kind: "url", url: `${fileScheme}${source.file_id}` };
  }
}
