/** GBNF that forces exactly one tool call, written as compact JSON with the name first. Pure text. */
import type { ToolDefinition } from "../../../domain/chat.ts";
import { compactJsonRules, literal } from "./json.ts";
import { SchemaRules } from "./schema-rules.ts";

/** What stands before the name, between name and arguments, and behind them. `forced-tool-call.ts` reads the same shape. */
export const toolCallShape = Object.freeze({ beforeName: '{"name":', beforeArguments: ',"arguments":', end: "}" });

/** At least one tool. The answer is `{"name":"…","arguments":{…}}` for one of them. */
export function toolCallGrammar(tools: readonly ToolDefinition[], rules = new SchemaRules("lenient")): string {
  const calls = tools.map((tool) => {
    const parameters = tool.parameters ?? { type: "object" };
    const argumentsRule = rules.add(
      "type" in parameters ? parameters : { ...parameters, type: "object" },
      `tools.${tool.name}.parameters`,
    );
    return [
      literal(`${toolCallShape.beforeName}${JSON.stringify(tool.name)}${toolCallShape.beforeArguments}`),
      argumentsRule,
      literal(toolCallShape.end),
    ].join(" ");
  });
  return [`root ::= ${calls.join(" | ")}`, ...rules.rules(), ...compactJsonRules].join("\n");
}
