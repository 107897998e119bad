/** The engine's own reading of our grammars: it takes them, allows what we say they allow, and writes what the schema asks. */
import { join } from "node:path";
import { getLlama, type Llama, LlamaLogLevel } from "node-llama-cpp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shapes } from "../../../../../models/random/shapes.ts";
import { writeRandomModel } from "../../../../../models/random/model.ts";
import type { JsonSchema } from "../../../../../server/domain/chat.ts";
import { chatRequest, collect } from "../../../../support/chat-request.ts";
import { readGbnf } from "../../../../support/gbnf.ts";
import { seeded } from "../../../../support/random.ts";
import { type RealEngine, realEngine, temporaryFolder } from "../../../../support/real-engine.ts";
import { judgeOf, keptSchemas, strictGrammar } from "../../../../support/schema-judge.ts";

describe("the engine's parser", () => {
  let llama: Llama;
  beforeAll(async () => {
    llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.disabled });
  });
  afterAll(() => llama.dispose());

  test("reads the grammars of 300 random schemas, and allows what they write and little else", async () => {
    let altered = 0;
    let denied = 0;
    for (const { seed, gbnf } of keptSchemas(20_000, 300).kept) {
      const ours = readGbnf(gbnf);
      const text = ours.write(seeded(seed));
      const theirs = await nativeGrammar(llama, gbnf);
      expect([seed, text, theirs._testText(text)]).toEqual([seed, text, true]);
      const other = alteredText(text, seed);
      expect([seed, other, theirs._testText(other)]).toEqual([seed, other, ours.allows(other)]);
      altered += 1;
      if (!ours.allows(other)) denied += 1;
    }
    expect(altered).toBeGreaterThan(200);
    expect(denied).toBeGreaterThan(altered * 0.5);
  });

  test("takes the largest grammars that are let through", async () => {
    const properties = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [`p${at}`, { type: "string", maxLength: at * 50 }]),
    );
    for (const schema of [
      { type: "object", properties },
      { enum: Object.keys(properties) },
      { maxLength: 10_000_000 },
    ]) {
      const theirs = await nativeGrammar(llama, strictGrammar(schema));
      expect(theirs._testText("[]")).toBe(false);
    }
  });
});

/** The library keeps its own recogniser out of its types. */
async function nativeGrammar(llama: Llama, grammar: string): Promise<{ _testText(text: string): boolean }> {
  return (await llama.createGrammar({ grammar })) as unknown as { _testText(text: string): boolean };
}

/** One character less, more or other, somewhere. */
function alteredText(text: string, seed: number): string {
  const random = seeded(seed + 1);
  const characters = Array.from(text);
  const at = random.below(characters.length);
  characters.splice(
    at,
    random.below(2),
    ...(random.chance(0.7) ? [random.pick(['"', "0", "a", ",", "}", "\\", " "])] : []),
  );
  return characters.join("");
}

/** Bounded, so that random weights come to an end. */
const schemas: Record<string, JsonSchema> = {
  "enum, const and null": {
    type: "object",
    properties: { kind: { enum: ["one", "two", "three"] }, fixed: { const: [1, "x"] }, none: { type: "null" } },
    required: ["kind", "fixed", "none"],
    additionalProperties: false,
  },
  "optional members, ranges and lengths": {
    type: "object",
    properties: {
      age: { type: "integer", minimum: 0, maximum: 120 },
      share: { type: "number", minimum: 0, maximum: 1 },
      name: { type: "string", minLength: 2, maxLength: 6 },
      tags: { type: "array", items: { type: "string", maxLength: 3 }, maxItems: 3 },
    },
    required: ["age"],
    additionalProperties: false,
  },
  "pattern and formats": {
    type: "object",
    properties: {
      when: { type: "string", format: "date-time" },
      id: { type: "string", format: "uuid" },
      code: { type: "string", pattern: "^[A-Z]{2}-\\d{3}$" },
    },
    required: ["when", "id", "code"],
  },
  "a union by reference": {
    anyOf: [{ $ref: "#/$defs/leaf" }, { type: "array", items: { $ref: "#/$defs/leaf" }, minItems: 1, maxItems: 2 }],
    $defs: {
      leaf: {
        type: "object",
        properties: { leaf: { type: "boolean" } },
        required: ["leaf"],
        additionalProperties: false,
      },
    },
  },
};

describe("random weights under a grammar", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let box: RealEngine;
  beforeAll(async () => {
    folder = await temporaryFolder();
    const path = join(folder.path, "tiny.gguf");
    await writeRandomModel(path, shapes.tiny, 1);
    box = await realEngine([{ alias: "tiny", path }], { slots: 4 });
  });
  afterAll(async () => {
    await box.close();
    await folder.remove();
  });

  test.each(Object.entries(schemas))("write valid JSON at a high temperature: %s", async (name, schema) => {
    const validate = judgeOf(schema);
    const responseFormat = { type: "json-schema", schema, param: "response_format" } as const;
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, seed) => {
        const sampling = { ...chatRequest("").sampling, temperature: 2, topK: 0, topP: 1, minP: 0, seed };
        const request = chatRequest("x", { model: "tiny", responseFormat, sampling, maxTokens: 400 });
        return collect(
          box.engine.chat(request, { requestId: `${name} ${seed}`, callerName: "ayo" }, new AbortController().signal),
        );
      }),
    );
    expect(answers.map(({ end }) => end.type === "finished" && end.finishReason)).toEqual(answers.map(() => "stop"));
    const faults = answers.map(({ text }) => text).filter((text) => !validate(JSON.parse(text)));
    expect(faults).toEqual([]);
    for (const { text } of answers) expect(JSON.stringify(JSON.parse(text))).toBe(text);
    expect(new Set(answers.map(({ text }) => text)).size).toBeGreaterThan(name.includes("enum") ? 1 : 3);
  });

  test("an answer that is cut is said to be cut", async () => {
    const responseFormat = {
      type: "json-schema",
      schema: { type: "string", minLength: 500 },
      param: "response_format",
    } as const;
    const request = chatRequest("x", { model: "tiny", responseFormat, maxTokens: 10 });
    const { end, text } = await collect(
      box.engine.chat(request, { requestId: "cut", callerName: "ayo" }, new AbortController().signal),
    );
    expect(end).toMatchObject({ type: "finished", finishReason: "length" });
    expect(text.startsWith('"')).toBe(true);
  });
});
