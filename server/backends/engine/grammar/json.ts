/** GBNF for JSON values, shared by `json_object` and tool arguments. Pure text. */
import { quoted } from "./expression.ts";

/**
 * Any value with the white space models like to write, at most one line break and 20 spaces of it at a time. Numbers are
 * bounded in digits too: a model whose logits favour one character would otherwise print it until the context is full.
 */
const spacedRules = [
  "value ::= object | array | string | number | boolean | null",
  'object ::= "{" space (member ("," space member)*)? "}"',
  'member ::= string ":" space value space',
  'array ::= "[" space (value space ("," space value space)*)? "]"',
  'space ::= "" | " " | "\\n" [ \\t]{0,20}',
  'string ::= "\\"" char* "\\""',
  'char ::= [^"\\\\\\x00-\\x1F\\x7F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})',
  'integer ::= "-"? ("0" | [1-9] [0-9]{0,15})',
  'number ::= integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?',
  'boolean ::= "true" | "false"',
  'null ::= "null"',
];

/** `response_format: {"type":"json_object"}`. */
export const jsonObjectGrammar = ["root ::= object", ...spacedRules].join("\n");

/**
 * The rules that a compact grammar with a root of its own ends with. Their texts are the ones `JSON.stringify` would write:
 * no space, the shortest escape of each character, numbers of at most 15 digits without exponent, so that clients that
 * re-serialise arguments get the same bytes back. A test holds them to it.
 */
export const compactJsonRules: readonly string[] = [
  "value ::= object | array | string | number | boolean | null",
  'object ::= "{" (member ("," member)*)? "}"',
  'member ::= string ":" value',
  'array ::= "[" (value ("," value)*)? "]"',
  'string ::= "\\"" char* "\\""',
  'char ::= [\\x20-\\x21\\x23-\\x5B\\x5D-\\uD7FF\\uE000-\\U0010FFFF] | "\\\\" (["\\\\bfnrt] | "u00" ("0" [0-7bef] | "1" [0-9a-f]))',
  'integer ::= "0" | "-"? [1-9] [0-9]{0,14}',
  'number ::= integer | "-"? (small | [1-9] [0-9]{0,5} "." [0-9]{0,8} [1-9] | [1-9] [0-9]{6,8} "." [0-9]{0,5} [1-9])',
  'small ::= "0." "0"{0,5} [1-9] ([0-9]{0,7} [1-9])?',
  'boolean ::= "true" | "false"',
  'null ::= "null"',
];

/** A GBNF terminal that matches exactly this text. */
export function literal(text: string): string {
  return quoted(text);
}
