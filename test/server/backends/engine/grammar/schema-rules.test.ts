/** What the converter makes of each word of JSON schema: texts that must be allowed, texts that must not, and its refusals. */
import { describe, expect, test } from "vitest";
import type { JsonSchema } from "../../../../../server/domain/chat.ts";
import { readGbnf } from "../../../../support/gbnf.ts";
import { lenientGrammar, readSchema, strictGrammar } from "../../../../support/schema-judge.ts";

interface Example {
  readonly schema: JsonSchema;
  readonly allowed: readonly unknown[];
  readonly denied: readonly unknown[];
}

const text = (length: number) => "x".repeat(length);
const named = { type: "object", properties: { a: { type: "integer" }, b: { type: "string" } } };
const node = {
  $ref: "#/$defs/node",
  $defs: {
    node: {
      type: "object",
      properties: { value: { type: "integer" }, children: { type: "array", items: { $ref: "#/$defs/node" } } },
      required: ["value"],
      additionalProperties: false,
    },
  },
};
const zodEmail =
  "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$";
const zodUuid = "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12})$";
const uuid = "0188c5e2-3f63-7a51-8c2e-9f8f3a1d2b4c";

const examples: Record<string, Example> = {
  "a list of types": { schema: { type: ["number", "null"] }, allowed: [null, 1, -2.5], denied: ["x", true, []] },
  nullable: { schema: { type: "string", nullable: true }, allowed: ["a", null], denied: [1] },
  integers: { schema: { type: "integer" }, allowed: [0, -1, 123456789012345], denied: [1.5, "1", null] },
  numbers: { schema: { type: "number" }, allowed: [0, 1.5, -0.25, 0.000001, 12345.678], denied: ["1", null] },
  anything: { schema: {}, allowed: [null, true, "x", 1, [1, [2]], { a: { b: [] } }], denied: [] },
  "required and optional, in order": {
    schema: { ...named, required: ["b"] },
    allowed: [{ a: 1, b: "x" }, { b: "x" }],
    denied: [{ a: 1 }, {}, { b: "x", a: 1 }, { a: "x", b: "x" }],
  },
  "all optional": { schema: named, allowed: [{}, { a: 1 }, { b: "" }, { a: 1, b: "" }], denied: [[], { c: 1 }] },
  "no properties": {
    schema: { type: "object", properties: {}, additionalProperties: false },
    allowed: [{}],
    denied: [{ a: 1 }],
  },
  "further members of any kind": {
    schema: { ...named, additionalProperties: true },
    allowed: [{ a: 1, c: [1] }, { zz: null, y: {} }, { ab: 1 }],
    denied: [{ a: "1" }],
  },
  "further members of one kind": {
    schema: { ...named, required: ["a"], additionalProperties: { type: "boolean" } },
    allowed: [{ a: 1 }, { a: 1, c: true }, { a: 1, aa: false, d: true }],
    denied: [{ a: 1, c: 2 }, { c: true }],
  },
  "a record": {
    schema: {
      type: "object",
      propertyNames: { type: "string", pattern: "^[a-z]+$" },
      additionalProperties: { type: "number" },
    },
    allowed: [{}, { abc: 1, d: 2.5 }],
    denied: [{ A: 1 }, { abc: "x" }],
  },
  "a record of listed names": {
    schema: {
      type: "object",
      propertyNames: { enum: ["x", "y"] },
      additionalProperties: { type: "integer" },
      required: ["x"],
    },
    allowed: [{ x: 1 }, { x: 1, y: 2 }],
    denied: [{ y: 2 }, { x: 1, z: 3 }],
  },
  "names by pattern": {
    schema: {
      type: "object",
      patternProperties: { "^n_": { type: "number" }, "^s_": { type: "string" } },
      additionalProperties: false,
    },
    allowed: [{}, { n_a: 1 }, { n_a: 1, s_b: "x" }],
    denied: [{ n_a: "x" }, { other: 1 }],
  },
  "a number of members": {
    schema: { ...named, minProperties: 1, maxProperties: 1 },
    allowed: [{ a: 1 }, { b: "" }],
    denied: [{}, { a: 1, b: "" }],
  },
  "one must imply another": {
    schema: { ...named, dependentRequired: { a: ["b"] } },
    allowed: [{}, { b: "x" }, { a: 1, b: "x" }],
    denied: [{ a: 1 }],
  },
  items: {
    schema: { type: "array", items: { type: "integer" } },
    allowed: [[], [1], [1, 2, 3]],
    denied: [["x"], 1, [1, "x"]],
  },
  "numbers of items": {
    schema: { type: "array", items: { type: "boolean" }, minItems: 2, maxItems: 3 },
    allowed: [
      [true, false],
      [true, true, true],
    ],
    denied: [[], [true], [true, true, true, true]],
  },
  "a tuple of draft 7": {
    schema: { type: "array", items: [{ type: "string" }, { type: "integer" }], additionalItems: false },
    allowed: [["a", 1]],
    denied: [
      [1, "a"],
      ["a", 1, 2],
    ],
  },
  "a tuple with more behind it": {
    schema: { type: "array", prefixItems: [{ type: "string" }], items: { type: "integer" }, maxItems: 3 },
    allowed: [["a"], ["a", 1, 2]],
    denied: [
      ["a", "b"],
      ["a", 1, 2, 3],
    ],
  },
  enum: {
    schema: { enum: ["red", "redder", 1, 10, null, { a: [1] }] },
    allowed: ["red", "redder", 1, 10, null, { a: [1] }],
    denied: ["re", 100, "reddest"],
  },
  "enum beside other words": {
    schema: { type: "string", enum: ["a", "abc", 3], minLength: 2 },
    allowed: ["abc"],
    denied: ["a", 3],
  },
  const: { schema: { const: { deep: ["x", 1.5] } }, allowed: [{ deep: ["x", 1.5] }], denied: [{ deep: ["x"] }] },
  anyOf: { schema: { anyOf: [{ type: "string" }, { type: "null" }] }, allowed: ["x", null], denied: [1] },
  "anyOf over shared properties": {
    schema: { ...named, anyOf: [{ required: ["a"] }, { required: ["b"] }] },
    allowed: [{ a: 1 }, { b: "x" }, { a: 1, b: "x" }],
    denied: [{}],
  },
  "oneOf told apart by a tag": {
    schema: {
      oneOf: ["dog", "cat"].map((kind) => ({
        type: "object",
        properties: { kind: { const: kind }, [kind]: { type: "string" } },
        required: ["kind", kind],
      })),
    },
    allowed: [
      { kind: "dog", dog: "x" },
      { kind: "cat", cat: "y" },
    ],
    denied: [{ kind: "dog", cat: "x" }, { kind: "dog" }],
  },
  "oneOf told apart by what is required": {
    schema: {
      oneOf: [
        { type: "object", properties: { a: {} }, required: ["a"] },
        { type: "object", properties: { b: {} }, required: ["b"] },
      ],
    },
    allowed: [{ a: 1 }, { b: 1 }],
    denied: [{ a: 1, b: 1 }, {}],
  },
  allOf: {
    schema: {
      allOf: [
        { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
        { properties: { a: { minimum: 3 }, b: { type: "null" } } },
      ],
    },
    allowed: [{ a: 3 }, { a: 10, b: null }],
    denied: [{ a: 2 }, { b: null }],
  },
  "a tree by $ref": {
    schema: node,
    allowed: [{ value: 1 }, { value: 1, children: [{ value: 2, children: [] }] }],
    denied: [{ children: [] }, { value: 1, children: [{}] }],
  },
  "a list that refers to the whole": {
    schema: { type: "object", properties: { next: { anyOf: [{ $ref: "#" }, { type: "null" }] } }, required: ["next"] },
    allowed: [{ next: null }, { next: { next: null } }],
    denied: [{}, { next: {} }],
  },
  "a reference with escapes, beside other words": {
    schema: {
      $ref: "#/definitions/a~1b%20c",
      maxLength: 3,
      definitions: { "a/b c": { type: "string", minLength: 2 } },
    },
    allowed: ["ab", "abc"],
    denied: ["a", "abcd"],
  },
  lengths: {
    schema: { type: "string", minLength: 2, maxLength: 4 },
    allowed: ["ab", "😀😀😀😀", '""', "\n\n"],
    denied: ["a", "abcde"],
  },
  "long lengths": {
    schema: { type: "string", minLength: 100, maxLength: 1000 },
    allowed: [text(100), text(611), text(1000)],
    denied: [text(99), text(1001)],
  },
  "a pattern without anchors": {
    schema: { type: "string", pattern: "ab+c" },
    allowed: ["abc", "xxabbbcyy"],
    denied: ["ac", "ab c"],
  },
  "a pattern of classes and groups": {
    schema: { type: "string", pattern: "^(?:\\d{3}-)?\\d{3}(-|\\s)[A-Fx]{1,2}$" },
    allowed: ["123-456-A", "456 xF"],
    denied: ["12-456-A", "456-", "456-ABC"],
  },
  "a pattern with characters that JSON escapes": {
    schema: { type: "string", pattern: '^["\\\\\\n/]+$' },
    allowed: ['"\\\n/'],
    denied: ["", "x"],
  },
  "a pattern and a length": {
    schema: { type: "string", pattern: "^[a-z]+\\d*$", maxLength: 3 },
    allowed: ["a", "ab1"],
    denied: ["abcd", "1"],
  },
  "the pattern of zod for email, with its format": {
    schema: { type: "string", format: "email", pattern: zodEmail },
    allowed: ["ayo@example.org", "a.b+c@mail.example.com"],
    denied: [".a@b.org", "a..b@c.org", "a@b", "no"],
  },
  "the pattern of zod for uuid, with its format": {
    schema: { type: "string", format: "uuid", pattern: zodUuid },
    allowed: [uuid],
    denied: [uuid.slice(1), text(36)],
  },
  date: {
    schema: { type: "string", format: "date" },
    allowed: ["2026-11-26", "2024-02-29"],
    denied: ["2023-02-29", "2026-13-01", "26-1-1"],
  },
  "date-time": {
    schema: { type: "string", format: "date-time" },
    allowed: ["2026-11-26T08:00:00Z", "2026-11-26T08:00:00.123+02:00"],
    denied: ["2026-11-26", "2026-11-26T25:00:00Z"],
  },
  time: { schema: { type: "string", format: "time" }, allowed: ["08:30:00Z"], denied: ["24:00:00Z", "8:30"] },
  duration: {
    schema: { type: "string", format: "duration" },
    allowed: ["P1D", "PT5M", "P2W", "P1Y2M3DT4H5M6S"],
    denied: ["P", "1D"],
  },
  ipv4: {
    schema: { type: "string", format: "ipv4" },
    allowed: ["192.168.0.1", "0.0.0.0"],
    denied: ["256.1.1.1", "1.2.3"],
  },
  ipv6: {
    schema: { type: "string", format: "ipv6" },
    allowed: ["::1", "fe80::1:2", "2001:db8:0:0:0:0:0:1", "::"],
    denied: ["1::2::3", "12345::"],
  },
  uri: {
    schema: { type: "string", format: "uri" },
    allowed: ["https://example.org/a?b=c#d", "http://10.0.0.1:8080/%20"],
    denied: ["example.org", "https:// x"],
  },
  hostname: {
    schema: { type: "string", format: "hostname" },
    allowed: ["example.org", "localhost"],
    denied: ["-a.org", "a..b"],
  },
  "a range of integers": {
    schema: { type: "integer", minimum: -5, maximum: 120 },
    allowed: [-5, 0, 99, 120],
    denied: [-6, 121, 1000],
  },
  "above zero": { schema: { type: "number", exclusiveMinimum: 0 }, allowed: [0.001, 1, 250.5], denied: [0, -1] },
  "a share": {
    schema: { type: "number", minimum: 0, maximum: 1 },
    allowed: [0, 0.5, 1, 0.999],
    denied: [1.001, -0.5, 2],
  },
  "between fractions": {
    schema: { type: "number", minimum: -1.25, exclusiveMaximum: 3.5 },
    allowed: [-1.25, -1, 3, 3.49],
    denied: [-1.26, 3.5, 4],
  },
  "bounds that are none": {
    schema: { type: "integer", minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 },
    allowed: [0, -5, 123456789],
    denied: [0.5],
  },
  "draft 4's flags": { schema: { type: "integer", minimum: 0, exclusiveMinimum: true }, allowed: [1], denied: [0] },
  "whole numbers by multipleOf": { schema: { type: "number", multipleOf: 1 }, allowed: [3, -4], denied: [3.5] },
  hundredths: { schema: { type: "number", multipleOf: 0.01, minimum: 0 }, allowed: [1.15, 0.57, 3], denied: [1.155] },
  dozens: { schema: { type: "integer", multipleOf: 12 }, allowed: [0, 12, -144], denied: [6, 13] },
  "not a value": {
    schema: { type: "string", not: { enum: ["a", "b"] } },
    allowed: ["", "c", "ab"],
    denied: ["a", "b"],
  },
  "not a type": { schema: { type: ["string", "null"], not: { type: "null" } }, allowed: ["x"], denied: [null] },
  "not a property": { schema: { ...named, not: { required: ["a"] } }, allowed: [{}, { b: "x" }], denied: [{ a: 1 }] },
  "words that describe, and unknown ones": {
    schema: {
      type: "boolean",
      title: "t",
      description: "d",
      default: 1,
      examples: [1],
      $comment: "c",
      deprecated: true,
      readOnly: true,
      "x-order": 3,
      $schema: "http://json-schema.org/draft-07/schema#",
    },
    allowed: [true, false],
    denied: [1],
  },
};

describe.each(Object.entries(examples))("%s", (_, { schema, allowed, denied }) => {
  const grammar = readSchema(schema);

  test("allows", () => {
    for (const value of allowed) expect([value, grammar.allows(JSON.stringify(value))]).toEqual([value, true]);
  });

  test("denies", () => {
    for (const value of denied) expect([value, grammar.allows(JSON.stringify(value))]).toEqual([value, false]);
    for (const value of allowed) expect(grammar.allows(JSON.stringify(value, null, 1).concat(" "))).toBe(false);
  });
});

const place = "response_format.json_schema.schema";

describe("what cannot be kept", () => {
  test.each<[string, JsonSchema, string]>([
    [
      "uniqueItems",
      { type: "object", properties: { a: { type: "array", uniqueItems: true } } },
      ".properties.a.uniqueItems",
    ],
    ["contains", { type: "array", contains: { type: "null" } }, ".contains"],
    ["a back reference", { type: "string", pattern: "(a)\\1" }, ".pattern"],
    ["the border of a word", { items: { pattern: "\\bword\\b" } }, ".items.pattern"],
    ["looking ahead in the middle", { pattern: "a(?=b)b" }, ".pattern"],
    ["an unknown format", { properties: { "x y": { type: "string", format: "colour" } } }, '.properties["x y"].format'],
    ["a step that digits do not show", { type: "number", multipleOf: 3.37 }, ".multipleOf"],
    ["overlapping branches of oneOf", { oneOf: [{ type: "string" }, { maxLength: 3 }] }, ".oneOf"],
    ["a condition", { if: { type: "string" }, else: { minimum: 1 } }, ".if"],
    ["a schema elsewhere", { $ref: "https://example.org/schema.json" }, ".$ref"],
    ["a place that is not there", { anyOf: [{ $ref: "#/$defs/none" }] }, ".anyOf[0].$ref"],
    ["not an object", { not: { properties: { a: { const: 1 } } } }, ".not"],
    ["malformed words", { type: "object", properties: [1] }, ".properties"],
    ["a count that is none", { type: "string", minLength: -1 }, ".minLength"],
    ["a type that is none", { type: "date" }, ".type"],
    ["no value at all", { type: "integer", minimum: 3, maximum: 2 }, ""],
    ["false where something must stand", { type: "object", properties: { a: false }, required: ["a"] }, ""],
    ["only itself", { $ref: "#" }, ".$ref"],
    ["only itself, by a detour", { anyOf: [{ $ref: "#" }] }, ""],
    ["no end", { type: "object", properties: { a: { $ref: "#" } }, required: ["a"] }, ""],
  ])("%s is refused by name in a response format", (_, schema, param) => {
    expect(() => strictGrammar(schema, place)).toThrow(
      expect.objectContaining({
        code: "invalid_request",
        param: `${place}${param}`,
        message: expect.stringContaining("cannot be kept: "),
      }),
    );
  });

  test("in a tool it is left unenforced and noted, and everything else is kept", () => {
    const schema = {
      type: "object",
      properties: {
        tags: { type: "array", items: { type: "string", maxLength: 3 }, uniqueItems: true },
        when: { type: "string", format: "colour" },
        count: { type: "integer", maximum: 5 },
      },
      required: ["tags", "when", "count"],
    };
    const { gbnf, unenforced } = lenientGrammar(schema, "tools[0]");
    expect(unenforced).toEqual(["tools[0].properties.tags.uniqueItems", "tools[0].properties.when.format"]);
    const grammar = readGbnf(gbnf);
    expect(grammar.allows('{"tags":["a","a"],"when":"blue","count":5}')).toBe(true);
    expect(grammar.allows('{"tags":["long"],"when":"blue","count":5}')).toBe(false);
    expect(grammar.allows('{"tags":[],"when":"blue","count":6}')).toBe(false);
  });

  test("a tool without properties is called with none, a response format without them is any object", () => {
    const schema = { type: "object", properties: {} };
    expect(readGbnf(lenientGrammar(schema).gbnf).allows('{"a":1}')).toBe(false);
    expect(readSchema(schema).allows('{"a":1}')).toBe(true);
  });

  test("a way that never ends is not taken", () => {
    const schema = {
      type: "object",
      properties: { ok: { type: "null" }, deep: { $ref: "#/$defs/deep" } },
      $defs: { deep: { type: "object", properties: { deep: { $ref: "#/$defs/deep" } }, required: ["deep"] } },
    };
    const grammar = readSchema(schema);
    expect(grammar.allows('{"ok":null}')).toBe(true);
    expect(grammar.allows('{"deep":')).toBe(false);
  });
});

test("texts are what JSON.stringify writes", () => {
  const grammar = readSchema({});
  const odd = JSON.stringify(['"\\/\b\f\n\r\t\u0000\u001f\u007f\u2028', 0.000001, 123456789012345, -1.5, { "": [] }]);
  expect(grammar.allows(odd)).toBe(true);
  for (const other of ['"\\/"', '"\\u0041"', '"\\u001F"', '"\\u000a"', "-0", "1.0", "1e5", "0.10", "[1, 2]", "01"]) {
    expect([other, grammar.allows(other)]).toEqual([other, false]);
  }
});

test("the names of a schema cannot reach beyond their place", () => {
  const schema = JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"integer"},"a\\"b":{"const":"]"}},"required":["__proto__","a\\"b"]}',
  );
  const grammar = readSchema(schema);
  expect(grammar.allows('{"__proto__":1,"a\\"b":"]"}')).toBe(true);
});
