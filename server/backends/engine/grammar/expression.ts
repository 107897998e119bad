/** The right sides of grammar rules as data, and their GBNF text. Pure. */
import type { CodePoints } from "./code-points.ts";

export type Expression =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "characters"; readonly set: CodePoints }
  | { readonly type: "rule"; readonly name: string }
  | { readonly type: "sequence"; readonly parts: readonly Expression[] }
  | { readonly type: "choice"; readonly branches: readonly Expression[] }
  /** `max` null: no end. Of something that is never empty. */
  | { readonly type: "repeat"; readonly of: Expression; readonly min: number; readonly max: number | null };

/** Matches nothing at all. */
export const never: Expression = Object.freeze({ type: "choice", branches: [] });
/** Matches the empty text. */
export const nothing: Expression = Object.freeze({ type: "text", text: "" });

export function isNever(expression: Expression): boolean {
  return expression.type === "choice" && expression.branches.length === 0;
}

export function text(value: string): Expression {
  return { type: "text", text: value };
}

export function ruleNamed(name: string): Expression {
  return { type: "rule", name };
}

export function characters(set: CodePoints): Expression {
  return set.length === 0 ? never : { type: "characters", set };
}

/** One after the other; never, when one of them is. */
export function sequence(...parts: readonly Expression[]): Expression {
  const flat: Expression[] = [];
  for (const part of parts.flatMap((one) => (one.type === "sequence" ? one.parts : [one]))) {
    if (isNever(part)) return never;
    const last = flat.at(-1);
    if (part.type === "text" && last?.type === "text") flat[flat.length - 1] = text(last.text + part.text);
    else if (part.type !== "text" || part.text !== "") flat.push(part);
  }
  const [only] = flat;
  if (only === undefined) return nothing;
  return flat.length === 1 ? only : { type: "sequence", parts: flat };
}

/** One of them, each written once; those that never match are left out. */
export function choice(branches: readonly Expression[]): Expression {
  const flat = branches.flatMap((one) => (one.type === "choice" ? one.branches : [one]));
  const distinct = [...new Map(flat.map((branch) => [printed(branch), branch])).values()];
  const [only] = distinct;
  return distinct.length === 1 && only !== undefined ? only : { type: "choice", branches: distinct };
}

/** As GBNF. */
export function printed(expression: Expression): string {
  switch (expression.type) {
    case "text":
      return quoted(expression.text);
    case "characters":
      return `[${expression.set.map(([from, to]) => (from === to ? point(from) : `${point(from)}-${point(to)}`)).join("")}]`;
    case "rule":
      return expression.name;
    case "sequence":
      return expression.parts.map(grouped).join(" ");
    case "choice":
      return expression.branches.map(printed).join(" | ");
    case "repeat":
      return grouped(expression.of) + count(expression.min, expression.max);
  }
}

/** A GBNF terminal that matches exactly this text. */
export function quoted(value: string): string {
  const escaped = value.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n").replace(/\r/g, "\\r").replace(/\t/g, "\\t");
  return `"${escaped}"`;
}

function grouped(expression: Expression): string {
  const several = expression.type === "choice" || (expression.type === "sequence" && expression.parts.length > 1);
  return several ? `(${printed(expression)})` : printed(expression);
}

function count(min: number, max: number | null): string {
  if (max === null) return min === 0 ? "*" : min === 1 ? "+" : `{${min},}`;
  if (min === max) return `{${min}}`;
  return min === 0 && max === 1 ? "?" : `{${min},${max}}`;
}

/** Everything but letters and digits is escaped: no character of a class can be taken for its syntax. */
function point(code: number): string {
  const character = String.fromCodePoint(code);
  if (/^[0-9A-Za-z]$/.test(character)) return character;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
