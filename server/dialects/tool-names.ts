/**
 * Tools as a shape that knows nothing but functions names them, and back. Pure; shared by the shapes we call; imports the domain only.
 *
 * A tool offered inside a group keeps its own name where that is the only one of it, and bears the group's before it otherwise.
 * A tool that takes free text becomes a function with one text, `input`, which is taken out again from the call.
 */
import { parsedJson } from "../domain/json-text.ts";
import type { JsonSchema, ToolCall, ToolDefinition } from "../domain/chat.ts";

/** The longest name that OpenAI and Gemini take. */
const longestName = 64;

export interface NamedTool {
  /** What the upstream reads and calls. */
  readonly wireName: string;
  readonly tool: ToolDefinition;
}

export const freeTextParameters: JsonSchema = Object.freeze({
  type: "object",
  properties: { input: { type: "string", description: "The whole input, as free text." } },
  required: ["input"],
  additionalProperties: false,
});

export function namedTools(tools: readonly ToolDefinition[]): readonly NamedTool[] {
  const count = new Map<string, number>();
  for (const { name } of tools) count.set(name, (count.get(name) ?? 0) + 1);
  return tools.map((tool) => {
    const isAlone = tool.namespace === undefined || (count.get(tool.name) ?? 0) < 2;
    return { tool, wireName: isAlone ? tool.name : `${tool.namespace}__${tool.name}`.slice(-longestName) };
  });
}

/** The name a call of the past goes by; one whose tool is no longer offered keeps the name it had. */
export function wireNameOf(call: Pick<ToolCall, "name" | "namespace">, tools: readonly NamedTool[]): string {
  const offered = tools.find(({ tool }) => tool.name === call.name && tool.namespace === call.namespace);
  return offered?.wireName ?? call.name;
}

export function isFreeText(wireName: string, tools: readonly NamedTool[]): boolean {
  return tools.some((named) => named.wireName === wireName && named.tool.custom !== undefined);
}

/** What a call's event says of the tool: its own name, and that it stands in a group or takes free text. */
export function toolOf(wireName: string, tools: readonly NamedTool[]): Pick<ToolCall, "name" | "namespace" | "custom"> {
  const tool = tools.find((named) => named.wireName === wireName)?.tool;
  if (tool === undefined) return { name: wireName };
  return {
    name: tool.name,
    ...(tool.namespace === undefined ? {} : { namespace: tool.namespace }),
    ...(tool.custom === undefined ? {} : { custom: true }),
  };
}

/** Arguments of a call of the past as JSON text of an object, whatever kind of tool it was. */
export function argumentsText(call: Pick<ToolCall, "arguments" | "custom">): string {
  if (call.custom === true) return JSON.stringify({ input: call.arguments });
  return call.arguments.trim() === "" ? "{}" : call.arguments;
}

/** The free text in the JSON arguments of such a call; what is no such object is the text itself. */
export function freeTextOf(json: string): string {
  const value = parsedJson(json);
  const isWrapped = typeof value === "object" && value !== null && "input" in value && typeof value.input === "string";
  return isWrapped ? (value.input as string) : json;
}
