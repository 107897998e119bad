/**
 * What grammar an answer must follow, and what of the wished constraints no grammar can hold. Pure. Runs in the server process.
 */
import type { ChatRequest } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { compactJsonRules, jsonObjectGrammar } from "./grammar/json.ts";
import { SchemaRules } from "./grammar/schema-rules.ts";
import { toolCallGrammar } from "./grammar/tool-call.ts";
import type { ReplyFormat } from "./reply/format-of.ts";
import { replyFamilies } from "./reply/index.ts";

export interface RequestGrammar {
  /** GBNF; null: the answer is free. */
  readonly gbnf: string | null;
  /** Places in the tools' schemas whose constraint is not enforced, as the client wrote them: for the request's record. */
  readonly unenforced: readonly string[];
}

/**
 * `format` is how the model writes calls. Throws Failure `invalid_request` for a `response_format` that cannot be kept, naming the place. A tool's schema is never a
 * reason to refuse: agents do not send its constraints on purpose.
 */
export function grammarFor(request: ChatRequest, format: ReplyFormat): RequestGrammar {
  const { toolChoice, tools, responseFormat } = request;
  if (toolChoice.type === "required" || toolChoice.type === "named") {
    const rules = new SchemaRules("lenient");
    const wanted = tools.filter((tool) => toolChoice.type === "required" || tool.name === toolChoice.name);
    return {
      gbnf: toolCallGrammar(wanted, replyFamilies[format].forced, request.parallelToolCalls, rules),
      unenforced: rules.unenforced,
    };
  }
  if (responseFormat.type === "text") return { gbnf: null, unenforced: [] };
  if (toolChoice.type === "auto" && tools.length > 0) {
    // Under the answer's grammar no tool could ever be called, and without it the answer might not follow the format.
    throw new Failure(
      "invalid_request",
      "'response_format' and 'tools' cannot be kept together here: send 'tool_choice' \"none\" for the formatted answer, or leave 'response_format' out while tools may be called.",
      { param: "response_format" },
    );
  }
  if (responseFormat.type === "json-object") return { gbnf: jsonObjectGrammar, unenforced: [] };
  const rules = new SchemaRules("strict");
  const root = rules.add(responseFormat.schema, responseFormat.param);
  return { gbnf: [`root ::= ${root}`, ...rules.rules(), ...compactJsonRules].join("\n"), unenforced: [] };
}
