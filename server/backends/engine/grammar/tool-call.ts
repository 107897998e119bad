/** GBNF that forces tool calls in the form a family of models writes them, with compact JSON arguments. Pure text. */
import type { ToolDefinition } from "../../../domain/chat.ts";
import { compactJsonRules, literal } from "./json.ts";
import { SchemaRules } from "./schema-rules.ts";

/** What stands around the names and arguments of forced calls. */
export interface CallForm {
  /** Once, before the first call. */
  readonly open: string;
  readonly beforeName: string;
  readonly beforeArguments: string;
  /** Behind the arguments. */
  readonly end: string;
  /** From one call to the next. */
  readonly between: string;
  /** Once, behind the last call. */
  readonly close: string;
  /** A model that likes calls must come to an end. */
  readonly mostCalls: number;
}

/** For families whose own form is not JSON: one object per line. */
export const plainCallForm: CallForm = Object.freeze({
  open: "",
  beforeName: '{"name":"',
  beforeArguments: '","arguments":',
  end: "}",
  between: "\n",
  close: "",
  mostCalls: 8,
});

/** At least one tool. One call of one of them, or, when `parallel`, up to `form.mostCalls`. */
export function toolCallGrammar(
  tools: readonly ToolDefinition[],
  form: CallForm,
  parallel: boolean,
  rules = new SchemaRules("lenient"),
): string {
  const calls = tools.map((tool) => {
    const parameters = tool.parameters ?? { type: "object" };
    const argumentsRule = rules.add(
      "type" in parameters ? parameters : { ...parameters, type: "object" },
      `tools.${tool.name}.parameters`,
    );
    // Inside JSON a name is escaped like any string; the quotes are the form's.
    const name = form.beforeName.endsWith('"') ? JSON.stringify(tool.name).slice(1, -1) : tool.name;
    return [line(`${form.beforeName}${name}${form.beforeArguments}`), argumentsRule, line(form.end)].join(" ");
  });
  const more = parallel && form.mostCalls > 1 ? `(${line(form.between)} call){0,${form.mostCalls - 1}}` : "";
  return [
    `root ::= ${line(form.open)} call ${more} ${line(form.close)}`,
    `call ::= ${calls.join(" | ")}`,
    ...rules.rules(),
    ...compactJsonRules,
  ].join("\n");
}

/** A literal that may hold line breaks. */
function line(text: string): string {
  return literal(text).replaceAll("\n", "\\n");
}
