/** The tools of a request and how they may be used, as Anthropic takes them. Pure; imports the domain only. */
import type { ChatRequest, JsonSchema, ToolDefinition } from "../../domain/chat.ts";
import { freeTextParameters, type NamedTool } from "../tool-names.ts";
import { cacheControl } from "./call-messages.ts";
import { dialectId } from "./signature.ts";

/** The tool that an answer in JSON comes as, where no schema was given. */
export const answerTool = "answer_in_json";

/** JSON without a schema: asked for as the arguments of a tool that takes any object. */
export function answersByTool(request: ChatRequest): boolean {
  return request.wire?.dialect !== dialectId && request.responseFormat.type === "json-object";
}

interface WireTools {
  readonly tools?: unknown;
  readonly tool_choice?: unknown;
}

export function wireTools(request: ChatRequest, named: readonly NamedTool[]): WireTools {
  const { toolChoice, parallelToolCalls } = request;
  const tools = named.map(wireTool);
  if (answersByTool(request)) {
    const tool = {
      name: answerTool,
      description: "Gives the answer, as one JSON object.",
      input_schema: { type: "object", additionalProperties: true },
    };
    return { tools: [...tools, tool], tool_choice: { type: "tool", name: answerTool } };
  }
  if (tools.length === 0) return {};
  const one = parallelToolCalls ? {} : { disable_parallel_tool_use: true };
  switch (toolChoice.type) {
    case "auto":
      return parallelToolCalls ? { tools } : { tools, tool_choice: { type: "auto", ...one } };
    case "none":
      return { tools, tool_choice: { type: "none" } };
    case "required":
      return { tools, tool_choice: { type: "any", ...one } };
    case "named": {
      const wished = named.find(({ tool }) => tool.name === toolChoice.name);
      return { tools, tool_choice: { type: "tool", name: wished?.wireName ?? toolChoice.name, ...one } };
    }
  }
}

function wireTool({ tool, wireName }: NamedTool): object {
  const { description, strict } = tool;
  return {
    name: wireName,
    ...(description === null || description === "" ? {} : { description }),
    input_schema: inputSchema(tool),
    ...(strict === true && tool.custom === undefined ? { strict } : {}),
    ...cacheControl(tool.cache),
  };
}

/** A tool that takes free text takes it as a field. */
function inputSchema({ custom, parameters }: ToolDefinition): JsonSchema {
  if (custom !== undefined) return freeTextParameters;
  return { type: "object", ...(parameters ?? { properties: {} }) };
}
