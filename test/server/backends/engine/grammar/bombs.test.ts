/** Schemas made to hurt: each ends soon, as a refusal or as a grammar within its bounds. */
import { describe, expect, test } from "vitest";
import { limits } from "../../../../../server/backends/engine/grammar/limits.ts";
import type { JsonSchema } from "../../../../../server/domain/chat.ts";
import { readGbnf } from "../../../../support/gbnf.ts";
import { lenientGrammar, readSchema, strictGrammar } from "../../../../support/schema-judge.ts";

/** What one schema may take, with a factor of five over what a busy machine was seen to need. */
const limitMs = 5_000;

const nested = (depth: number, wrap: (inner: JsonSchema) => JsonSchema): JsonSchema => {
  let schema: JsonSchema = { type: "null" };
  for (let level = 0; level < depth; level += 1) schema = wrap(schema);
  return schema;
};
const many = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index));
/** Ten levels, each of which refers ten times to the next. */
const laughs = (word: string): JsonSchema => ({
  $ref: "#/$defs/l0",
  $defs: Object.fromEntries(
    many(11, (level) => [
      `l${level}`,
      level === 10
        ? { type: "string" }
        : { type: "array", items: { [word]: many(10, (copy) => ({ title: copy, $ref: `#/$defs/l${level + 1}` })) } },
    ]),
  ),
});

const refused: Record<string, JsonSchema> = {
  "a million repetitions": { type: "string", pattern: "a{1000000}" },
  "repetitions of repetitions": { type: "string", pattern: "((((a{1,100}){1,100}){1,100}){1,100}){1,100}" },
  "a pattern with exponentially many states": { type: "string", pattern: "(a|b)*a(a|b){24}" },
  "groups ten thousand deep": { type: "string", pattern: `${"(".repeat(1_900)}a${")".repeat(1_900)}` },
  "a pattern of megabytes": { type: "string", pattern: "ab|".repeat(1_000_000) },
  "objects ten thousand deep": nested(10_000, (inner) => ({
    type: "object",
    properties: { a: inner },
    required: ["a"],
  })),
  "arrays ten thousand deep": nested(10_000, (inner) => ({ type: "array", items: inner })),
  "choices ten thousand deep": nested(10_000, (inner) => ({ anyOf: [inner, { type: "string" }] })),
  "a hundred thousand properties": {
    type: "object",
    properties: Object.fromEntries(many(100_000, (at) => [`p${at}`, {}])),
  },
  "a hundred thousand parts": { allOf: many(200_000, (at) => ({ title: `${at}`, minLength: at })) },
  "a hundred thousand branches": { anyOf: many(100_000, (at) => ({ type: "string", minLength: at })) },
  "choices that multiply": {
    allOf: many(20, (at) => ({ anyOf: many(10, (branch) => ({ properties: { [`p${at}`]: { const: branch } } })) })),
  },
  "megabytes of values": { enum: many(100_000, (at) => `value ${at * 7_919} ${"x".repeat(20)}`) },
  "a thousand branches that must exclude each other": {
    oneOf: many(1_000, (at) => ({ type: "object", properties: { [`p${at}`]: {} } })),
  },
  "a hundred patterns for names": {
    type: "object",
    patternProperties: Object.fromEntries(many(100, (at) => [`x.{${at}}y.*z`, { type: "null" }])),
  },
};

const kept: Record<string, JsonSchema> = {
  "patterns that make others try for ever": { type: "string", pattern: "^((a+)+|(a|aa)+|(.*)*b)*$" },
  "a billion laughs of anyOf": laughs("anyOf"),
  "a billion laughs of allOf": laughs("allOf"),
  "thousands of values": { enum: many(5_000, (at) => `value-${at}`) },
  "texts of a megabyte": { type: "string", minLength: 10, maxLength: 1_000_000 },
  "lists of a million": { type: "array", items: { type: "boolean" }, maxItems: 1_000_000 },
  "two hundred optional properties": {
    type: "object",
    properties: Object.fromEntries(many(200, (at) => [`property_${at}`, { type: "integer" }])),
  },
};

describe("refused in a response format, left unenforced in a tool", () => {
  test.each(Object.entries(refused))("%s", (_, schema) => {
    const startMs = performance.now();
    expect(() => strictGrammar(schema, "response_format.schema")).toThrow(
      expect.objectContaining({ code: "invalid_request", param: expect.stringMatching(/^response_format\.schema/) }),
    );
    const { gbnf, unenforced } = lenientGrammar(schema, "tools[0]");
    expect(performance.now() - startMs).toBeLessThan(limitMs);
    expect(unenforced).toContainEqual(expect.stringMatching(/^tools\[0\]/));
    expect(gbnf.length).toBeLessThan(limits.characters * 1.2);
  });
});

describe("kept, within bounds", () => {
  test.each(Object.entries(kept))("%s", (_, schema) => {
    const startMs = performance.now();
    const gbnf = strictGrammar(schema);
    expect(performance.now() - startMs).toBeLessThan(limitMs);
    expect(gbnf.length).toBeLessThan(limits.characters);
    expect(readGbnf(gbnf).ruleCount).toBeLessThan(limits.rules);
  });
});

describe("the engine never follows many ways at once", () => {
  test.each<[string, JsonSchema, unknown, number]>([
    ["a pattern with every alternative twice", { pattern: "^(a|a|aa|(a)*)*$" }, "a".repeat(200), 4],
    ["a long bounded text", { maxLength: 100_000 }, "x".repeat(3_000), 40],
    [
      "two hundred optional properties",
      kept["two hundred optional properties"] ?? {},
      { property_3: 1, property_150: 2 },
      204,
    ],
    ["thousands of values", kept["thousands of values"] ?? {}, "value-4321", 12],
    ["a union of literals", { anyOf: many(300, (at) => ({ const: `value-${at}` })) }, "value-299", 12],
  ])("%s", (_, schema, value, most) => {
    expect(readSchema(schema).waysAtOnce(JSON.stringify(value))).toBeLessThanOrEqual(most);
  });
});
