/** Forced into a grammar, the demo ends soon with well-formed text: JSON, any schema the library takes, a tool call. */
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type VoiceName, voices } from "../../../models/demo/voices.ts";
import { type BareModel, loadDemo } from "../../support/bare-library.ts";

/** JSON values with optional white space, as engines write them. */
const json = String.raw`
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]*)) ("." [0-9]+)? ([eE] [-+]? [0-9]+)? ws
ws     ::= [ \t\n]*
`;

const schemas: readonly object[] = [
  { type: "object", properties: { city: { type: "string" } } },
  { type: "object", properties: { days: { type: "integer" }, share: { type: "number" } } },
  { type: "object", properties: { yes: { type: "boolean" }, none: { type: "null" } } },
  { type: "object", properties: { unit: { enum: ["celsius", "fahrenheit"] }, kind: { const: "fixed" } } },
  { type: "object", properties: { tags: { type: "array", items: { type: "string" } } } },
  { type: "object", properties: { inner: { type: "object", properties: { deep: { type: "string" } } } } },
  { type: "object", properties: { long: { type: "string", minLength: 12 }, short: { type: "string", maxLength: 2 } } },
  { type: "array", items: { type: "integer" }, minItems: 3 },
  { oneOf: [{ type: "null" }, { type: "object", properties: { a: { type: "string" } } }] },
  { type: "string" },
  { type: "integer" },
];

describe.each(Object.keys(voices) as VoiceName[])("the voice %s", (name) => {
  let bare: BareModel;
  beforeAll(async () => {
    bare = await loadDemo(name);
  });
  afterAll(() => bare.close());

  const prompts = ["x", "maybe", "surely"];

  test.each(prompts)("the library's own JSON grammar, after %j", async (content) => {
    const text = await bare.constrained(bare.render([{ role: "user", content }]), "json");
    expect(JSON.parse(text)).toEqual({ demo: "demo" });
  });

  test.each(schemas)("the schema %j", async (schema) => {
    const text = await bare.constrained(bare.render([{ role: "user", content: "x" }]), { schema });
    const value: unknown = JSON.parse(text);
    expect(new Ajv({ strict: false }).validate(schema, value)).toBe(true);
    expect(text.trim().length).toBeLessThan(80);
  });

  test.each([
    ["any value", `root ::= value\n${json}`],
    ["an object", `root ::= object\n${json}`],
    ["an array", `root ::= array\n${json}`],
    ["a number", `root ::= number\n${json}`],
  ])("%s under a loose grammar with any amount of white space", async (_, gbnf) => {
    const text = await bare.constrained(bare.render([{ role: "user", content: "x" }]), { gbnf });
    expect(() => JSON.parse(text)).not.toThrow();
    expect(text.length).toBeLessThan(20);
  });

  test.each(prompts)("a tool call whose shape is forced, after %j", async (content) => {
    const call = String.raw`"<tool_call>\n{\"name\": \"" ("get_weather" | "list_files") "\", \"arguments\": " object "}\n</tool_call>"`;
    const text = await bare.constrained(bare.render([{ role: "user", content }]), {
      gbnf: `root ::= ${call}\n${json}`,
    });
    const [, inside] = /^<tool_call>\n(.*)\n<\/tool_call>$/s.exec(text) ?? [];
    expect(JSON.parse(inside ?? "")).toEqual({
      name: expect.stringMatching(/^(?:get_weather|list_files)$/),
      arguments: { demo: "demo" },
    });
  });

  test("arguments as a schema asks for them", async () => {
    const gbnf = String.raw`root ::= "{\"name\":\"forecast\",\"arguments\":{\"city\":" string ",\"days\":" number "}}"`;
    const text = await bare.constrained(bare.render([{ role: "user", content: "x" }]), { gbnf: `${gbnf}\n${json}` });
    expect(JSON.parse(text)).toEqual({ name: "forecast", arguments: { city: "demo", days: 1 } });
  });

  test("plain text under a grammar that allows all of it is the sentence", async () => {
    const text = await bare.constrained(bare.render([{ role: "user", content: "x" }]), { gbnf: "root ::= [^\\x00]*" });
    expect(text).toContain(name === "demo" ? "postcard" : "lamp");
  });
});
