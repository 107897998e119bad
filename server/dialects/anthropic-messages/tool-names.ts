/** Names as Anthropic takes them, and back: its tools have no groups, and ids and names are letters, digits, `_` and `-`. Pure. */
import type { ToolDefinition } from "../../domain/chat.ts";

const longestName = 128;

export function wireName(tool: { readonly name: string; readonly namespace?: string }): string {
  const full = tool.namespace === undefined ? tool.name : `${tool.namespace}__${tool.name}`;
  return wireId(full).slice(0, longestName);
}

export function wireId(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, "_");
}

/** The tools of a request by the name the model calls them. */
export function toolsByName(tools: readonly ToolDefinition[]): ReadonlyMap<string, ToolDefinition> {
  return new Map(tools.map((tool) => [wireName(tool), tool]));
}
