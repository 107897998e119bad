/**
 * Tools as a shape that knows nothing but functions names them, and back. Pure; shared by the shapes we call; imports the domain only.
 *
 * A tool offered inside a group keeps its own name where that is the only one of it, and bears the group's before it otherwise.
 * What a vendor would refuse in a name (its length, its letters, a second one of it) is changed on the way there and changed back.
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
  const names = fittingNames(
    tools.map(({ name, namespace }) => {
      const isAlone = namespace === undefined || (count.get(name) ?? 0) < 2;
      return isAlone ? name : `${namespace}__${name}`;
    }),
  );
  return tools.map((tool, index) => ({ tool, wireName: names[index] ?? tool.name }));
}

/** The same names in the same order, each once and such as every vendor takes. One that is so already stays. */
export function fittingNames(names: readonly string[]): readonly string[] {
  const kept = new Set(names.filter((name) => fittingName(name) === name));
  const taken = new Set<string>();
  return names.map((name) => {
    const isKept = kept.has(name) && !taken.has(name);
    const fit = fittingName(name);
    let one = fit;
    for (let number = 2; !isKept && (kept.has(one) || taken.has(one)); number += 1) {
      const ending = `_${number}`;
      one = fit.slice(0, longestName - ending.length) + ending;
    }
    taken.add(one);
    return one;
  });
}

/** Of a long name the end is kept, which tells tools of one server apart. Gemini wants no digit or dash in front. */
export function fittingName(name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9_-]/g, "_");
  if (plain.length <= longestName && /^[a-zA-Z_]/.test(plain)) return plain;
  const end = plain.slice(-longestName);
  return /^[a-zA-Z_]/.test(end) ? end : `_${end.slice(1 - longestName)}`;
}

/** The name a call of the past goes by; one whose tool is no longer offered keeps the name it had, as far as it fits. */
export function wireNameOf(call: Pick<ToolCall, "name" | "namespace">, tools: readonly NamedTool[]): string {
  const offered = tools.find(({ tool }) => tool.name === call.name && tool.namespace === call.namespace);
  return offered?.wireName ?? fittingName(call.name);
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
