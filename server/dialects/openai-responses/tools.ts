/**
 * Tools of a Responses body → the domain's, flat. Pure. Codex groups some in namespaces: a model sees one list of names, and a
 * call is answered with the namespace apart from the name.
 */
import type { ToolChoice, ToolDefinition } from "../../domain/chat.ts";
import type { RequestNote } from "../../domain/note.ts";
import { badField } from "../field-failure.ts";
import { freeTextParameters } from "../tool-names.ts";
import type { WirePlainTool, WireResponseBody, WireTool } from "./schema.ts";

export interface ReadTools {
  readonly tools: readonly ToolDefinition[];
  readonly choice: ToolChoice;
  readonly notes: readonly RequestNote[];
}

/** Longest text of a client that a note carries. */
const longestDetail = 100;

export function readTools(wire: WireResponseBody): ReadTools {
  const notes: RequestNote[] = [];
  const ignored = (type: string) => notes.push({ code: "tool_ignored", detail: type.slice(0, longestDetail) });
  const all = (wire.tools ?? []).flatMap((tool) => flat(tool, ignored));
  const counts = new Map<string, number>();
  for (const { name } of all) counts.set(name, (counts.get(name) ?? 0) + 1);
  const tools = all.map((tool) =>
    tool.namespace !== undefined && (counts.get(tool.name) ?? 0) > 1
      ? { ...tool, name: prefixed(tool.namespace, tool.name) }
      : tool,
  );
  return { ...chosen(wire, tools, ignored), notes };
}

function flat(tool: WireTool, ignored: (type: string) => void): ToolDefinition[] {
  if (tool.type !== "namespace" || !("tools" in tool)) return definition(tool as WirePlainTool, ignored);
  return tool.tools.flatMap((inner) => definition(inner, ignored).map((known) => ({ ...known, namespace: tool.name })));
}

function definition(tool: WirePlainTool, ignored: (type: string) => void): ToolDefinition[] {
  if (!("name" in tool)) {
    ignored(tool.type);
    return [];
  }
  const named = { name: tool.name, description: tool.description ?? null };
  if (tool.type === "custom") {
    return [{ ...named, parameters: freeTextParameters, custom: { grammar: grammarOf(tool.format) } }];
  }
  const strict = tool.strict === undefined || tool.strict === null ? {} : { strict: tool.strict };
  return [{ ...named, parameters: tool.parameters ?? null, ...strict }];
}

/** Null: free text. */
function grammarOf(format: unknown): unknown {
  const free = typeof format === "object" && format !== null && "type" in format && format.type === "text";
  return format === undefined || free ? null : format;
}

/** Tools of the same name in two namespaces are told apart by the namespace in front. */
function prefixed(namespace: string, name: string): string {
  return `${namespace}__${name}`;
}

/** The name the model is shown for a call in the history. */
export function shownName(tools: readonly ToolDefinition[], name: string, namespace: string | undefined): string {
  if (namespace === undefined) return name;
  const long = prefixed(namespace, name);
  return tools.some((tool) => tool.namespace === namespace && tool.name === long) ? long : name;
}

/** The way back: what the client called it. */
export function ownName(tool: Pick<ToolDefinition, "name" | "namespace">): string {
  const prefix = tool.namespace === undefined ? "" : prefixed(tool.namespace, "");
  return prefix !== "" && tool.name.startsWith(prefix) ? tool.name.slice(prefix.length) : tool.name;
}

type Chosen = Pick<ReadTools, "tools" | "choice">;

function chosen(wire: WireResponseBody, tools: readonly ToolDefinition[], ignored: (type: string) => void): Chosen {
  const wished = wire.tool_choice ?? "auto";
  if (typeof wished === "string" || isMode(wished.type)) {
    const type = typeof wished === "string" ? wished : wished.type;
    return { tools, choice: mode(type, tools) };
  }
  if (wished.type === "function" || wished.type === "custom") {
    const found = tools.find((tool) => ownName(tool) === wished.name);
    if (found === undefined) throw badField("tool_choice", "'tool_choice' names a tool that 'tools' does not hold.");
    return { tools, choice: { type: "named", name: found.name } };
  }
  if (wished.type === "allowed_tools") return allowed(wished, tools);
  // A tool that only a vendor can run was left out, so it cannot be asked for either.
  ignored(`tool_choice ${String(wished.type)}`);
  return { tools, choice: { type: "auto" } };
}

function isMode(type: unknown): type is "auto" | "none" | "required" {
  return type === "auto" || type === "none" || type === "required";
}

function mode(type: unknown, tools: readonly ToolDefinition[]): ToolChoice {
  if (type === "none") return { type };
  if (type !== "required") return { type: "auto" };
  if (tools.length === 0) {
    throw badField("tool_choice", "'tool_choice' asks for a call, but 'tools' holds nothing that can be called here.");
  }
  return { type };
}

/** Only some of the tools may be called: the others are not shown. */
function allowed(wished: Readonly<Record<string, unknown>>, tools: readonly ToolDefinition[]): Chosen {
  const listed = Array.isArray(wished.tools) ? wished.tools : [];
  const names = new Set(
    listed.map((one: unknown) => (typeof one === "object" && one !== null && "name" in one ? one.name : undefined)),
  );
  const some = tools.filter((tool) => names.has(ownName(tool)));
  return { tools: some, choice: mode(wished.mode, some) };
}
