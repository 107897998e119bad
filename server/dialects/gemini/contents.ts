/**
 * Messages as Gemini's contents. Pure; imports the domain only. A result goes back under the name and id of its call, and a
 * signature on the part it came on: without it the third generation refuses the turn.
 */
import { parsedJson } from "../../domain/json-text.ts";
import type { ChatMessage, ContentPart, ToolCall } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { resultText } from "../called-messages.ts";
import { argumentsText, type NamedTool, wireNameOf } from "../tool-names.ts";
import { isWireObject } from "../usage/figures.ts";

interface Content {
  readonly role: "user" | "model";
  readonly parts: object[];
}

export interface Conversation {
  /** Null: nobody instructs. */
  readonly systemInstruction: { readonly parts: readonly object[] } | null;
  readonly contents: readonly Content[];
}

/** Google's own word for a call that another model made, or whose signature a client did not keep. */
const noSignature = "skip_thought_signature_validator";

export function conversationOf(
  messages: readonly ChatMessage[],
  tools: readonly NamedTool[],
  wantsSignatures: boolean,
): Conversation {
  const system: object[] = [];
  const contents: Content[] = [];
  const names = new Map<string, string>();
  let results: Content | null = null;
  for (const [index, message] of joinedResults(messages).entries()) {
    const param = `messages[${index}]`;
    if (message.role === "tool") {
      // All results of one turn go back together.
      if (results === null) {
        results = { role: "user", parts: [] };
        contents.push(results);
      }
      results.parts.push(...resultParts(message, names.get(message.toolCallId), param));
      continue;
    }
    results = null;
    if (message.role === "assistant") {
      for (const call of message.toolCalls) names.set(call.id, wireNameOf(call, tools));
      const parts = modelParts(message, tools, wantsSignatures);
      if (parts.length > 0) contents.push({ role: "model", parts });
    } else if (message.role === "system") system.push(...message.content.map(wirePart));
    else contents.push({ role: "user", parts: nonEmpty(message.content.map(wirePart)) });
  }
  // Instructions alone are no conversation to it.
  if (contents.length === 0) return { systemInstruction: null, contents: [{ role: "user", parts: nonEmpty(system) }] };
  return { systemInstruction: system.length === 0 ? null : { parts: system }, contents };
}

/** One result for each call: as many as there were calls are taken, and clients send some in several messages. */
function joinedResults(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const list: ChatMessage[] = [];
  let turnAt = 0;
  for (const message of messages) {
    if (message.role !== "tool") turnAt = list.length + 1;
    const at = list.findIndex((one, index) => {
      return index >= turnAt && one.role === "tool" && message.role === "tool" && one.toolCallId === message.toolCallId;
    });
    const earlier = list[at];
    if (earlier === undefined || message.role !== "tool") list.push(message);
    else list[at] = { ...message, content: [...earlier.content, ...message.content] };
  }
  return list;
}

function modelParts(
  message: Extract<ChatMessage, { role: "assistant" }>,
  tools: readonly NamedTool[],
  wantsSignatures: boolean,
): object[] {
  const parts = message.content.map(wirePart);
  for (const { dialect, signature } of message.reasoningBlocks ?? []) {
    if (dialect === "gemini" && signature !== null) parts.push({ text: "", thoughtSignature: signature });
  }
  for (const [index, call] of message.toolCalls.entries()) {
    // Of calls made side by side only the first bears one.
    const signature = call.signature ?? (wantsSignatures && index === 0 ? noSignature : undefined);
    const functionCall = { id: call.id, name: wireNameOf(call, tools), args: argsOf(call) };
    parts.push({ functionCall, ...(signature === undefined ? {} : { thoughtSignature: signature }) });
  }
  return parts;
}

function resultParts(
  message: Extract<ChatMessage, { role: "tool" }>,
  name: string | undefined,
  param: string,
): readonly object[] {
  if (name === undefined) {
    throw new Failure("unsupported", "A result was sent for a call that nobody made.", { param });
  }
  const text = resultText(message.content, false);
  const response = message.isError === true ? { error: text } : { output: text };
  const shown = message.content.filter((part) => part.type !== "text").map(wirePart);
  return [{ functionResponse: { id: message.toolCallId, name, response } }, ...shown];
}

function argsOf(call: ToolCall): object {
  const args = parsedJson(argumentsText(call));
  // A model may write arguments that are no JSON; the wire takes objects only.
  return isWireObject(args) ? args : { input: call.arguments };
}

function wirePart(part: ContentPart): object {
  if (part.type === "text") return { text: part.text };
  if (part.source.kind === "base64") {
    return { inlineData: { mimeType: part.source.mediaType, data: part.source.data } };
  }
  return { fileData: { fileUri: part.source.url, mimeType: mediaTypeOf(part.source.url, part.type) } };
}

const mediaTypes: Readonly<Record<string, string>> = Object.freeze({
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
  heic: "image/heic",
  pdf: "application/pdf",
  txt: "text/plain",
});

/** The wire wants one, and an address has only its ending to tell. */
function mediaTypeOf(url: string, type: "image" | "file"): string {
  const ending = /\.(\w{2,4})(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase() ?? "";
  const known = Object.hasOwn(mediaTypes, ending) ? mediaTypes[ending] : undefined;
  return known ?? (type === "image" ? "image/jpeg" : "application/pdf");
}

function nonEmpty(parts: object[]): object[] {
  return parts.length === 0 ? [{ text: "" }] : parts;
}
