/** GBNF for JSON values, shared by `json_object` and tool arguments. Pure text. */

/**
 * Rules every JSON grammar builds on. Numbers are bounded in digits and white space in length: a model whose logits favour
 * one character would otherwise print it until the context is full.
 */
const primitives = [
  'string ::= "\\"" char* "\\""',
  'char ::= [^"\\\\\\x00-\\x1F\\x7F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})',
  'integer ::= "-"? ("0" | [1-9] [0-9]{0,15})',
  'number ::= integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?',
  'boolean ::= "true" | "false"',
  'null ::= "null"',
];

/** Any value, written compactly: no space anywhere. Clients that re-serialise arguments then get the same bytes back. */
const compactValue = [
  "value ::= object | array | string | number | boolean | null",
  'object ::= "{" (member ("," member)*)? "}"',
  'member ::= string ":" value',
  'array ::= "[" (value ("," value)*)? "]"',
];

/** Any value with the white space models like to write, at most one line break and 20 spaces of it at a time. */
const spacedValue = [
  "value ::= object | array | string | number | boolean | null",
  'object ::= "{" space (member ("," space member)*)? "}"',
  'member ::= string ":" space value space',
  'array ::= "[" space (value space ("," space value space)*)? "]"',
  'space ::= "" | " " | "\\n" [ \\t]{0,20}',
];

/** `response_format: {"type":"json_object"}`. */
export const jsonObjectGrammar = ["root ::= object", ...spacedValue, ...primitives].join("\n");

/** The rules that a compact grammar with a root of its own ends with. */
export const compactJsonRules: readonly string[] = [...compactValue, ...primitives];

/** A GBNF terminal that matches exactly this text. */
export function literal(text: string): string {
  // JSON.stringify has already written control characters as escapes; these two are what is left to escape.
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}
