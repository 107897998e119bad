/** `response_format` with a schema as a client meets it: the shipped command, real HTTP, random weights, ajv as the judge. */
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeRandomModel } from "../../models/random/model.ts";
import { shapes } from "../../models/random/shapes.ts";
import { temporaryFolder } from "../support/real-engine.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";

const schema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "Ticket",
  type: "object",
  properties: {
    priority: { type: "string", enum: ["low", "normal", "high"] },
    reporter: { $ref: "#/definitions/person" },
    assignee: { anyOf: [{ $ref: "#/definitions/person" }, { type: "null" }], default: null },
    place: {
      type: "object",
      properties: {
        floor: { type: "integer", minimum: -2, maximum: 40 },
        room: { type: "string", pattern: "^[A-Z]\\d{2}$" },
      },
      required: ["floor"],
      additionalProperties: false,
    },
    hours: { type: "array", items: { type: "number", minimum: 0, maximum: 24 }, maxItems: 3 },
  },
  required: ["priority", "reporter", "assignee", "place"],
  additionalProperties: false,
  definitions: {
    person: {
      type: "object",
      properties: {
        name: { type: "string", minLength: 1, maxLength: 8 },
        since: { type: "integer", minimum: 1990, maximum: 2026 },
      },
      required: ["name"],
      additionalProperties: false,
    },
  },
};

interface Answer {
  readonly choices?: readonly { readonly message: { readonly content: string }; readonly finish_reason: string }[];
  readonly error?: { readonly message: string; readonly param: string | null; readonly type: string };
}

describe("S-13 structured output", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: RunningServer;
  beforeAll(async () => {
    folder = await temporaryFolder();
    const path = join(folder.path, "tiny.gguf");
    await writeRandomModel(path, shapes.tiny, 3);
    server = await startServer({ flags: ["--model", `${path},alias=tiny,context=2048,slots=4`] });
  });
  afterAll(async () => {
    await server.remove();
    await folder.remove();
  });

  const ask = async (wishes: object): Promise<{ status: number; body: Answer }> => {
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "tiny", messages: [{ role: "user", content: "a ticket" }], ...wishes }),
    });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  const format = (wanted: object) => ({
    type: "json_schema",
    json_schema: { name: "ticket", strict: true, schema: wanted },
  });

  test("S-13 twenty answers parse and satisfy the schema", async () => {
    const validate = new Ajv({ strict: false }).compile(schema);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, seed) =>
        ask({ response_format: format(schema), seed, temperature: 1.5, top_k: 0, top_p: 1 }),
      ),
    );
    const texts = answers.map(({ body }) => body.choices?.[0]?.message.content ?? "");
    expect(answers.map(({ body }) => body.choices?.[0]?.finish_reason)).toEqual(answers.map(() => "stop"));
    expect(texts.filter((text) => !validate(JSON.parse(text)))).toEqual([]);
    expect(texts.filter((text) => JSON.stringify(JSON.parse(text)) !== text)).toEqual([]);
    expect(new Set(texts).size).toBeGreaterThan(10);
  });

  test("S-13 llama.cpp's place for a schema is enforced too", async () => {
    const { body } = await ask({ response_format: { type: "json_object", schema: { enum: [{ ok: true }] } } });
    expect(body.choices?.[0]?.message.content).toBe('{"ok":true}');
  });

  test("S-13 a constraint that cannot be kept is a 400 that names it, in words", async () => {
    const wanted = {
      type: "object",
      properties: { tags: { type: "array", items: { type: "string" }, uniqueItems: true } },
    };
    const { status, body } = await ask({ response_format: format(wanted) });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({
      type: "invalid_request_error",
      param: "response_format.json_schema.schema.properties.tags.uniqueItems",
      message: expect.stringContaining("does not remember earlier items"),
    });
  });

  test("S-13 in a tool's schema it is left unenforced, and the call is made", async () => {
    const parameters = {
      type: "object",
      properties: { ids: { type: "array", items: { enum: [1, 2] }, uniqueItems: true, maxItems: 2 } },
      required: ["ids"],
    };
    const tools = [{ type: "function", function: { name: "pick", parameters } }];
    const { status, body } = await ask({ tools, tool_choice: "required", temperature: 1 });
    const [choice] = body.choices as unknown as { message: { tool_calls: { function: { arguments: string } }[] } }[];
    expect(status).toBe(200);
    expect(JSON.parse(choice?.message.tool_calls[0]?.function.arguments ?? "")).toEqual({ ids: expect.any(Array) });
  });

  test("S-13 a cut answer says so", async () => {
    const { body } = await ask({ response_format: format({ type: "string", minLength: 200 }), max_tokens: 5 });
    expect(body.choices?.[0]?.finish_reason).toBe("length");
  });

  test("S-13 a format and tools that may be called cannot both be kept", async () => {
    const tools = [{ type: "function", function: { name: "pick" } }];
    const refused = await ask({ response_format: format(schema), tools });
    expect(refused.status).toBe(400);
    expect(refused.body.error?.param).toBe("response_format");
    const served = await ask({ response_format: format({ const: 1 }), tools, tool_choice: "none" });
    expect(served.body.choices?.[0]?.message.content).toBe("1");
  });

  test("S-13 a grammar bomb is refused soon", async () => {
    const startMs = performance.now();
    const { status, body } = await ask({
      response_format: format({ type: "string", pattern: "((a{1,1000}){1,1000}){1,1000}" }),
    });
    expect(status).toBe(400);
    expect(body.error?.param).toBe("response_format.json_schema.schema.pattern");
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });
});
