/**
 * Items → messages. Pure. What a model does in one turn stands in several items (reasoning, message, calls) and is one message
 * here, until something comes that must stand after it.
 */
import type { ChatMessage, ContentPart, ReasoningBlock, ToolCall, ToolDefinition } from "../../domain/chat.ts";
import type { RequestNote } from "../../domain/note.ts";
import { badField } from "../field-failure.ts";
import type { WireItem, WirePart } from "./item-schema.ts";
import { contentOf } from "./parts.ts";
import { blockOf } from "./signature.ts";
import { shownName } from "./tools.ts";

/** An item and where it stands, as the client wrote it: `input[2]`. */
export interface PlacedItem {
  readonly item: Exclude<WireItem, { type: "item_reference" }>;
  readonly place: string;
}

/** The model's turn that is being put together. */
interface Turn {
  content: ContentPart[];
  readonly thoughts: string[];
  readonly blocks: ReasoningBlock[];
  readonly calls: ToolCall[];
}

export function conversationOf(
  items: readonly PlacedItem[],
  tools: readonly ToolDefinition[],
): { readonly messages: readonly ChatMessage[]; readonly notes: readonly RequestNote[] } {
  const messages: ChatMessage[] = [];
  const notes: RequestNote[] = [];
  const callIds = new Set<string>();
  let turn: Turn | null = null;

  const endTurn = () => {
    if (turn !== null) messages.push(messageOf(turn));
    turn = null;
  };
  const turnFor = (what: "reasoning" | "content" | "call"): Turn => {
    // Thoughts and texts stand before calls, so after one of those a new message begins.
    const said = turn !== null && (turn.content.length > 0 || turn.calls.length > 0);
    if (what !== "call" && said) endTurn();
    turn ??= { content: [], thoughts: [], blocks: [], calls: [] };
    return turn;
  };

  for (const { item, place } of items) {
    switch (item.type) {
      case "message": {
        const content = contentOf(item.content, `${place}.content`);
        if (item.role === "assistant") {
          turnFor("content").content = [...content];
          break;
        }
        endTurn();
        messages.push({ role: item.role === "user" ? "user" : "system", content });
        break;
      }
      case "reasoning": {
        const text = [textOf(item.content), textOf(item.summary)].find((one) => one !== "") ?? "";
        const { thoughts, blocks } = turnFor("reasoning");
        if (text !== "") thoughts.push(text);
        const block = blockOf(text, item.encrypted_content ?? null, item.id ?? null);
        if (block.signature !== null) blocks.push(block);
        break;
      }
      case "function_call":
      case "custom_tool_call": {
        const namespace = item.namespace ?? undefined;
        callIds.add(item.call_id);
        turnFor("call").calls.push({
          id: item.call_id,
          name: shownName(tools, item.name, namespace),
          arguments: item.type === "function_call" ? item.arguments : item.input,
          ...(namespace === undefined ? {} : { namespace }),
          ...(item.type === "custom_tool_call" ? { custom: true } : {}),
        });
        break;
      }
      case "function_call_output":
      case "custom_tool_call_output": {
        if (!callIds.has(item.call_id)) {
          const field = `${place}.call_id`;
          throw badField(field, `No earlier item made the call that '${field}' answers.`);
        }
        endTurn();
        messages.push({ role: "tool", toolCallId: item.call_id, content: contentOf(item.output, `${place}.output`) });
        break;
      }
      case "unknown":
        notes.push({ code: "item_ignored", detail: item.name.slice(0, 100) });
        break;
    }
  }
  endTurn();
  return { messages, notes };
}

function messageOf({ content, thoughts, blocks, calls }: Turn): ChatMessage {
  return {
    role: "assistant",
    content,
    reasoning: thoughts.length === 0 ? null : thoughts.join("\n"),
    ...(blocks.length === 0 ? {} : { reasoningBlocks: blocks }),
    toolCalls: calls,
  };
}

function textOf(parts: readonly WirePart[] | null | undefined): string {
  return (parts ?? []).map((part) => ("text" in part ? part.text : "")).join("\n");
}
