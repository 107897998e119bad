/** Messages and tools → the items of a Responses body that we send. Pure. For requests that came in another wire shape. */
import type { ChatMessage, ContentPart, MediaSource, ToolChoice, ToolDefinition } from "../../domain/chat.ts";
import { markedText } from "../called-messages.ts";
import type { CallTraits } from "../called.ts";
import { responsesId } from "./signature.ts";
import { fittingName, fittingNames } from "../tool-names.ts";
import { ownName } from "./tools.ts";

type Item = Readonly<Record<string, unknown>>;

export function inputItems(
  messages: readonly ChatMessage[],
  tools: readonly ToolDefinition[],
  traits: CallTraits,
): readonly Item[] {
  const customCalls = new Set<string>();
  const names = new Map([...wireNames(tools)].map(([tool, name]) => [tool.name, name]));
  const itemsOf = (message: ChatMessage): Item[] => {
    switch (message.role) {
      case "system":
      case "user": {
        const role = message.role === "system" && traits.noDeveloperRole !== true ? "developer" : message.role;
        return [{ type: "message", role, content: message.content.map(inputPart) }];
      }
      case "assistant": {
        const items: Item[] = [...reasoningItems(message)];
        if (message.content.length > 0) {
          const content = message.content.map((part) => ({ type: "output_text", text: said(part), annotations: [] }));
          items.push({ type: "message", role: "assistant", content });
        }
        for (const call of message.toolCalls) {
          const namespace = call.namespace === undefined ? {} : { namespace: call.namespace };
          const named = { call_id: call.id, name: names.get(call.name) ?? fittingName(call.name), ...namespace };
          if (call.custom === true) customCalls.add(call.id);
          items.push(
            call.custom === true
              ? { type: "custom_tool_call", ...named, input: call.arguments }
              : { type: "function_call", ...named, arguments: call.arguments === "" ? "{}" : call.arguments },
          );
        }
        return items;
      }
      case "tool": {
        const type = customCalls.has(message.toolCallId) ? "custom_tool_call_output" : "function_call_output";
        return [{ type, call_id: message.toolCallId, output: toolOutput(message.content, message.isError) }];
      }
    }
  };
  return messages.flatMap(itemsOf);
}

/** Only what a Responses upstream signed means anything to one. */
function reasoningItems(message: Extract<ChatMessage, { role: "assistant" }>): readonly Item[] {
  const blocks = message.reasoningBlocks ?? [];
  return blocks.flatMap(({ dialect, signature, text, id }) => {
    if (dialect !== responsesId || signature === null) return [];
    const summary = text === "" ? [] : [{ type: "summary_text", text }];
    return [{ type: "reasoning", ...(id === undefined ? {} : { id }), summary, encrypted_content: signature }];
  });
}

function said(part: ContentPart): string {
  return part.type === "text" ? part.text : "";
}

function toolOutput(content: readonly ContentPart[], isError: boolean | undefined): unknown {
  const texts = content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  if (texts.length === content.length) return markedText(texts.join(""), isError);
  const parts = content.map(inputPart);
  const isMarked = markedText(texts.join(""), isError) === texts.join("");
  return isMarked ? parts : [{ type: "input_text", text: "Error:" }, ...parts];
}

function inputPart(part: ContentPart): object {
  if (part.type === "text") return { type: "input_text", text: part.text };
  if (part.type === "image") {
    const detail = part.detail === undefined ? {} : { detail: part.detail };
    return { type: "input_image", image_url: urlOf(part.source), ...detail };
  }
  const filename = part.name === null ? {} : { filename: part.name };
  if (part.source.kind === "url") return { type: "input_file", file_url: part.source.url, ...filename };
  return { type: "input_file", filename: "file", ...filename, file_data: urlOf(part.source) };
}

function urlOf(source: MediaSource): string {
  return source.kind === "url" ? source.url : `data:${source.mediaType};base64,${source.data}`;
}

/** What each tool is called within its namespace there: its own name, as far as it fits. */
function wireNames(tools: readonly ToolDefinition[]): ReadonlyMap<ToolDefinition, string> {
  const names = new Map(tools.map((tool) => [tool, ownName(tool)]));
  for (const namespace of new Set(tools.map((tool) => tool.namespace))) {
    const among = tools.filter((tool) => tool.namespace === namespace);
    const fitting = fittingNames(among.map(ownName));
    for (const [index, tool] of among.entries()) names.set(tool, fitting[index] ?? ownName(tool));
  }
  return names;
}

/** The way back: what the client called the tool that the upstream calls so. */
export function calledName(tools: readonly ToolDefinition[], wireName: string, namespace: string | undefined): string {
  for (const [tool, name] of wireNames(tools)) {
    if (name === wireName && tool.namespace === namespace) return ownName(tool);
  }
  return wireName;
}

/** Tools of one namespace stand together again, where the first of them stood. */
export function wireTools(tools: readonly ToolDefinition[]): readonly Item[] {
  const groups = new Map<string, Item[]>();
  const list: Item[] = [];
  for (const [tool, name] of wireNames(tools)) {
    if (tool.namespace === undefined) {
      list.push(wireTool(tool, name));
      continue;
    }
    const group = groups.get(tool.namespace);
    if (group !== undefined) {
      group.push(wireTool(tool, name));
      continue;
    }
    const inner = [wireTool(tool, name)];
    groups.set(tool.namespace, inner);
    list.push({ type: "namespace", name: tool.namespace, description: tool.namespace, tools: inner });
  }
  return list;
}

function wireTool(tool: ToolDefinition, name: string): Item {
  const named = { name, ...(tool.description === null ? {} : { description: tool.description }) };
  if (tool.custom !== undefined) {
    return { type: "custom", ...named, format: tool.custom.grammar ?? { type: "text" } };
  }
  const parameters = tool.parameters ?? { type: "object", properties: {} };
  // Said always: left out it means strict here, and most schemas are not made for that.
  return { type: "function", ...named, parameters, strict: tool.strict ?? false };
}

export function wireChoice(choice: ToolChoice, tools: readonly ToolDefinition[]): unknown {
  if (choice.type !== "named") return choice.type;
  const tool = tools.find(({ name }) => name === choice.name);
  const name = (tool && wireNames(tools).get(tool)) ?? choice.name;
  return { type: tool?.custom === undefined ? "function" : "custom", name };
}
