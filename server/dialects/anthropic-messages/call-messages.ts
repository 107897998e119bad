/**
 * Our messages → what Anthropic takes: system texts apart, turns that alternate, all results of a turn first in one message. Pure.
 */
import type {
  CacheMark,
  ChatMessage,
  ContentPart,
  FilePart,
  ImagePart,
  MediaSource,
  ToolCall,
} from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { fileScheme } from "./messages.ts";
import { dialectId, isOurs } from "./signature.ts";
import { type NamedTool, wireNameOf } from "../tool-names.ts";

export interface WireBlock {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface WireTurn {
  readonly role: "user" | "assistant";
  readonly content: readonly WireBlock[];
}

export interface WireConversation {
  readonly system: readonly WireBlock[];
  readonly messages: readonly WireTurn[];
}

/** Ids are letters, digits, `_` and `-` here; others make theirs of more. */
export function plain(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, "_");
}

export function wireConversation(messages: readonly ChatMessage[], tools: readonly NamedTool[]): WireConversation {
  const system: WireBlock[] = [];
  const turns: WireTurn[] = [];
  let results = new Map<string, WireBlock[]>();
  let marks = new Map<string, CacheMark>();
  let failed = new Set<string>();
  let said: WireBlock[] = [];

  const endUserTurn = () => {
    const answers = [...results].map(([id, content]): WireBlock => {
      const mark = marks.get(id);
      return {
        ...{ type: "tool_result", tool_use_id: id },
        ...(content.length === 0 ? {} : { content }),
        ...(failed.has(id) ? { is_error: true } : {}),
        ...cacheControl(mark),
      };
    });
    const content = [...answers, ...said];
    if (content.length > 0) turns.push({ role: "user", content });
    [results, marks, failed, said] = [new Map(), new Map(), new Set(), []];
  };

  for (const [index, message] of messages.entries()) {
    const param = `messages[${index}].content`;
    switch (message.role) {
      case "system":
        system.push(...partBlocks(message.content, param));
        break;
      case "user":
        said.push(...partBlocks(message.content, param));
        break;
      case "tool": {
        // A client may answer a call twice; Anthropic takes one result of each.
        const id = plain(message.toolCallId);
        const parts = partBlocks(message.content.map(unmarked), param);
        results.set(id, [...(results.get(id) ?? []), ...parts]);
        const mark = message.content.findLast((part) => part.cache !== undefined)?.cache;
        if (mark !== undefined) marks.set(id, mark);
        if (message.isError === true) failed.add(id);
        break;
      }
      case "assistant": {
        const content = assistantBlocks(message, tools, param);
        if (content.length === 0) break;
        endUserTurn();
        const last = turns.at(-1);
        if (last?.role === "assistant") turns[turns.length - 1] = { ...last, content: [...last.content, ...content] };
        else turns.push({ role: "assistant", content });
        break;
      }
    }
  }
  endUserTurn();
  // It wants somebody to have said something.
  if (turns.length === 0) return { system: [], messages: [{ role: "user", content: system }] };
  return { system, messages: withoutLastSpace(turns) };
}

type AssistantMessage = Extract<ChatMessage, { role: "assistant" }>;

function assistantBlocks(message: AssistantMessage, tools: readonly NamedTool[], param: string): readonly WireBlock[] {
  const other = message.content.findIndex((part) => part.type !== "text");
  if (other >= 0) {
    throw new Failure("unsupported", "This provider takes only text of the assistant's own.", {
      param: `${param}[${other}]`,
    });
  }
  return [
    ...thinkingBlocks(message),
    ...partBlocks(message.content, param),
    ...message.toolCalls.map((call) => ({
      ...{ type: "tool_use", id: plain(call.id), name: wireNameOf(call, tools), input: inputOf(call) },
      ...cacheControl(call.cache),
    })),
  ];
}

/** What it signed itself goes back unchanged; what others thought would be refused, so it stays here. */
export function thinkingBlocks(message: AssistantMessage): readonly WireBlock[] {
  return (message.reasoningBlocks ?? []).flatMap(({ dialect, signature, text, redacted }): readonly WireBlock[] => {
    if (dialect !== dialectId || signature === null || signature === "" || isOurs(signature)) return [];
    if (redacted === true) return [{ type: "redacted_thinking", data: signature }];
    return [{ type: "thinking", thinking: text, signature }];
  });
}

/** Always an object: no arguments are `{}`, and text that is none is kept under a name. */
function inputOf({ arguments: text, custom }: ToolCall): object {
  if (custom === true) return { input: text };
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    return { arguments: value };
  } catch {
    return { arguments: text };
  }
}

function unmarked<Part extends ContentPart>(part: Part): Part {
  const { cache: _, ...rest } = part;
  return rest as Part;
}

function partBlocks(parts: readonly ContentPart[], param: string): readonly WireBlock[] {
  return parts.flatMap((part, index): readonly WireBlock[] => {
    if (part.type === "file") return [documentBlock(part, `${param}[${index}]`)];
    const mark = cacheControl(part.cache);
    if (part.type === "image") return [{ type: "image", source: imageSource(part), ...mark }];
    // Text of nothing but white space is refused.
    return part.text.trim() === "" ? [] : [{ type: "text", text: part.text, ...mark }];
  });
}

export function cacheControl(mark: CacheMark | undefined): object {
  if (mark === undefined) return {};
  return { cache_control: mark.keep === "1h" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" } };
}

function imageSource({ source }: ImagePart): object {
  return source.kind === "url" ? addressed(source) : base64(source);
}

function addressed({ url }: Extract<MediaSource, { kind: "url" }>): object {
  if (url.startsWith(fileScheme)) return { type: "file", file_id: url.slice(fileScheme.length) };
  return { type: "url", url };
}

function base64({ mediaType, data }: Extract<MediaSource, { kind: "base64" }>): object {
  return { type: "base64", media_type: mediaType, data };
}

function documentBlock({ source, name, cache }: FilePart, param: string): WireBlock {
  const about = { ...(name === null ? {} : { title: name }), ...cacheControl(cache) };
  if (source.kind === "url") return { type: "document", source: addressed(source), ...about };
  if (source.mediaType === "application/pdf") return { type: "document", source: base64(source), ...about };
  if (source.mediaType.startsWith("text/")) {
    const data = Buffer.from(source.data, "base64").toString("utf8");
    return { type: "document", source: { type: "text", media_type: "text/plain", data }, ...about };
  }
  throw new Failure("unsupported", "This provider reads PDF and text files only.", { param });
}

/** An answer that is to be gone on with must not end in white space. */
function withoutLastSpace(turns: readonly WireTurn[]): readonly WireTurn[] {
  const last = turns.at(-1);
  const block = last?.content.at(-1);
  if (last?.role !== "assistant" || block?.type !== "text" || typeof block.text !== "string") return turns;
  return [
    ...turns.slice(0, -1),
    { ...last, content: [...last.content.slice(0, -1), { ...block, text: block.text.trimEnd() }] },
  ];
}
