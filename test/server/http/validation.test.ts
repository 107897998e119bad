/** S-04: what is wrong with a chat is a 400 that names the field, and never a 500. Over real HTTP. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chatBody } from "../../../server/dialects/openai-chat/schema.ts";
import { completionBody } from "../../../server/dialects/openai-completions/decode.ts";
import { responseBody } from "../../../server/dialects/openai-responses/schema.ts";
import { numericPlaces, withRawAt } from "../../support/schema-numbers.ts";
import { type ErrorBody, finished, hello, jsonOf, openRoom, type Room, text } from "./room.ts";

let room: Room;
/** The last request that reached the spine. */
let reached: object | null = null;
beforeAll(async () => {
  room = await openRoom();
  room.script = ({ request, emit }) => {
    reached = request;
    emit(text("ok"), finished);
  };
});
afterAll(() => room.close());

async function send(
  body: string,
  path = "/v1/chat/completions",
): Promise<{ status: number; error: ErrorBody["error"] | undefined }> {
  reached = null;
  const headers = { "content-type": "application/json" };
  const response = await fetch(room.url + path, { method: "POST", headers, body });
  const { error } = await jsonOf<Partial<ErrorBody>>(response);
  return { status: response.status, error };
}

const user = { role: "user", content: "x" };
const call = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };

describe("S-04 validation table", () => {
  const table: readonly (readonly [wrong: object, param: string])[] = [
    [{ model: undefined }, "model"],
    [{ model: "" }, "model"],
    [{ model: 5 }, "model"],
    [{ model: ["coder"] }, "model"],
    [{ messages: undefined }, "messages"],
    [{ messages: null }, "messages"],
    [{ messages: "hi" }, "messages"],
    [{ messages: 123 }, "messages"],
    [{ messages: 123.5 }, "messages"],
    [{ messages: true }, "messages"],
    [{ messages: {} }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: ["hi"] }, "messages[0]"],
    [{ messages: [null] }, "messages[0]"],
    [{ messages: [[]] }, "messages[0]"],
    [{ messages: [{}] }, "messages[0]"],
    [{ messages: [{ content: "x" }] }, "messages[0]"],
    [{ messages: [{ role: 123, content: "x" }] }, "messages[0]"],
    [{ messages: [{ role: "wizard", content: "x" }] }, "messages[0]"],
    [{ messages: [{ role: "system", content: 123 }] }, "messages[0].content"],
    [{ messages: [{ role: "user", content: {} }] }, "messages[0].content"],
    [{ messages: [{ role: "user" }] }, "messages[0].content"],
    [{ messages: [{ role: "user", content: [5] }] }, "messages[0].content[0]"],
    [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages[0].content[0]"],
    [{ messages: [{ role: "user", content: [{ type: "text", text: 1 }] }] }, "messages[0].content[0]"],
    [{ messages: [{ role: "user", content: [{ text: "x" }] }] }, "messages[0].content[0]"],
    [{ messages: [user, {}] }, "messages[1]"],
    [{ messages: [user, { role: "assistant", tool_calls: "x" }] }, "messages[1].tool_calls"],
    [{ messages: [user, { role: "assistant", tool_calls: [{}] }] }, "messages[1].tool_calls[0]"],
    [{ messages: [user, { role: "assistant", tool_calls: [{ ...call, id: 5 }] }] }, "messages[1].tool_calls[0].id"],
    [{ messages: [user, { role: "tool", content: "x" }] }, "messages[1].tool_call_id"],
    [{ messages: [user, { role: "tool", tool_call_id: "nobody", content: "x" }] }, "messages[1].tool_call_id"],
    [{ stream: "yes" }, "stream"],
    [{ stream: 1 }, "stream"],
    [{ stream_options: true }, "stream_options"],
    [{ stream_options: { include_usage: "yes" } }, "stream_options.include_usage"],
    [{ temperature: "hot" }, "temperature"],
    [{ temperature: -1 }, "temperature"],
    [{ temperature: 3 }, "temperature"],
    [{ top_p: 2 }, "top_p"],
    [{ max_tokens: -1 }, "max_tokens"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ max_tokens: 0.5 }, "max_tokens"],
    [{ max_tokens: "5" }, "max_tokens"],
    [{ max_completion_tokens: -1 }, "max_completion_tokens"],
    [{ n: 0 }, "n"],
    [{ n: -5 }, "n"],
    [{ n: 1e9 }, "n"],
    [{ top_logprobs: 99 }, "top_logprobs"],
    [{ logprobs: true, top_logprobs: 99 }, "top_logprobs"],
    [{ logprobs: "yes" }, "logprobs"],
    [{ frequency_penalty: 5 }, "frequency_penalty"],
    [{ presence_penalty: "x" }, "presence_penalty"],
    [{ logit_bias: [] }, "logit_bias"],
    [{ logit_bias: { 5: 101 } }, "logit_bias"],
    [{ logit_bias: { "1e5": 1 } }, "logit_bias"],
    [{ logit_bias: { "-1": 1 } }, "logit_bias"],
    [{ logit_bias: { 99999999999: 1 } }, "logit_bias"],
    [{ seed: "x" }, "seed"],
    [{ seed: 1.5 }, "seed"],
    [{ stop: 5 }, "stop"],
    [{ stop: [5] }, "stop"],
    [{ stop: Array(100).fill("x") }, "stop"],
    [{ stop: "x".repeat(5000) }, "stop"],
    [{ tools: {} }, "tools"],
    [{ tools: "x" }, "tools"],
    [{ tools: [5] }, "tools[0]"],
    [{ tools: [{}] }, "tools[0]"],
    [{ tools: [{ type: "function" }] }, "tools[0]"],
    [{ tools: [{ type: "function", function: {} }] }, "tools[0].function.name"],
    [{ tools: [{ type: "function", function: { name: 5 } }] }, "tools[0].function.name"],
    [{ tools: [{ type: "function", function: { name: "f", parameters: "x" } }] }, "tools[0].function.parameters"],
    [{ tool_choice: "always" }, "tool_choice"],
    [{ tool_choice: 5 }, "tool_choice"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tool_choice: { type: "function", function: { name: "nobody" } } }, "tool_choice"],
    [{ response_format: "json" }, "response_format"],
    [{ response_format: {} }, "response_format"],
    [{ response_format: { type: "xml" } }, "response_format"],
    [{ response_format: { type: "json_schema" } }, "response_format"],
    [{ response_format: { type: "json_schema", json_schema: {} } }, "response_format"],
    [{ response_format: { type: "json_schema", json_schema: { schema: 5 } } }, "response_format"],
    [{ modalities: ["audio"] }, "modalities"],
    [{ functions: [{ name: "f" }] }, "functions"],
  ];
  test.each(table)("%j is 400 for %s", async (wrong, param) => {
    const { status, error } = await send(JSON.stringify({ ...hello, ...wrong }));
    expect({ status, code: error?.code }).toEqual({ status: 400, code: "invalid_request" });
    // The field itself, or a place within it.
    expect(error?.param?.slice(0, param.length)).toBe(param);
    expect(error?.message).toMatch(/\w{3}/);
    expect(reached).toBeNull();
  });

  test.each(["[]", '"x"', "null", "5", "true", "", " ", "[{}]"])("the body %j is 400", async (body) => {
    const { status, error } = await send(body);
    expect(status).toBe(400);
    expect(error).toMatchObject({ code: "invalid_request", message: expect.stringMatching(/body/i) });
  });
});

/** JSON texts, because some are no JavaScript values. */
const hostileNumbers = [
  ...["-1", "-0", "0", "0.5", "-0.5", "1e-400", "1e308", "-1e308", "1e309", "1e400", "-1e400", "999999999"],
  ...["2147483648", "-2147483649", "4294967296", "9007199254740992", "9007199254740993", "18446744073709551616"],
  ...[`1${"0".repeat(400)}`, `0.${"3".repeat(400)}`],
];
const noNumbers = [
  '"NaN"',
  '"Infinity"',
  '"5"',
  '""',
  '"0x5"',
  "true",
  "false",
  "{}",
  "[]",
  "[1]",
  '{"$gt":0}',
  '{"valueOf":5}',
];

/** The first number in `value` that no arithmetic survives; null when there is none. */
function badNumberIn(value: unknown, path = "request"): string | null {
  if (typeof value === "number") return Number.isFinite(value) ? null : path;
  if (value instanceof Map) return badNumberIn([...value], path);
  if (typeof value !== "object" || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const found = badNumberIn(inner, `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}

describe("hostile values in every numeric field", () => {
  const bodies = [
    { route: "/v1/chat/completions", schema: chatBody, right: hello },
    { route: "/v1/completions", schema: completionBody, right: { model: "coder", prompt: "hi" } },
    { route: "/v1/responses", schema: responseBody, right: { model: "coder", input: "hi" } },
  ];
  const places = bodies.flatMap(({ route, schema, right }) =>
    numericPlaces(schema).map((place) => ({ ...place, route, right, name: place.path.join(".") })),
  );

  test("the fields are found in the schemas", () => {
    const names = places.map(({ route, name }) => `${route} ${name}`);
    const some = [
      "chat/completions temperature",
      "chat/completions logit_bias.7",
      "completions max_tokens",
      "completions n",
    ];
    expect(names).toEqual(expect.arrayContaining(some.map((one) => `/v1/${one}`)));
    expect(names.length).toBeGreaterThanOrEqual(25);
  });

  test.each(places)("$route $name", async ({ path, alsoOther, route, right }) => {
    const field = String(path[0]);
    for (const raw of [...hostileNumbers, ...noNumbers]) {
      const { status, error } = await send(withRawAt(right, path, raw), route);
      const what = `${field}: ${raw.slice(0, 30)}`;
      expect([200, 400], what).toContain(status);
      if (status === 400) expect(error?.param?.startsWith(field), `${what} ${error?.param}`).toBe(true);
      // What the client wrote goes to an upstream of its own shape as it came; nothing here computes with it.
      else expect(badNumberIn({ ...reached, wire: null }), what).toBeNull();
      if (noNumbers.includes(raw) && !alsoOther) expect(status, what).toBe(400);
    }
  });

  test("in the queries of the admin routes", async () => {
    const headers = { authorization: `Bearer ${room.adminKey}` };
    for (const raw of [...hostileNumbers, ...noNumbers, "", " ", "5&limit=6", "٣", "5e0"]) {
      for (const path of [
        "summary?from=",
        "summary?to=",
        "requests?limit=",
        "requests?key=",
        "export?from=",
        "requests?from=",
      ]) {
        const response = await room.get(
          `/admin/usage/${path}${raw.includes("&") ? raw : encodeURIComponent(raw)}`,
          headers,
        );
        expect([200, 400], `${path}${raw}`).toContain(response.status);
        await response.arrayBuffer();
      }
    }
  });
});

describe("keys with a meaning, and keys twice", () => {
  test.each(["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", "toJSON"])(
    "%s anywhere changes nothing and nobody",
    async (key) => {
      const evil = JSON.stringify({ polluted: true, temperature: 2, model: "other" });
      const raw = `"${key}":${evil}`;
      const bodies = [
        `{"model":"coder","messages":[{"role":"user","content":"hi"}],${raw}}`,
        `{${raw},"model":"coder","messages":[{"role":"user","content":"hi",${raw}}]}`,
        `{"model":"coder","messages":[{"role":"user","content":[{"type":"text","text":"hi",${raw}}]}]}`,
        `{"model":"coder","messages":[{"role":"user","content":"hi"}],"stream_options":{${raw}},"metadata":{${raw}}}`,
      ];
      for (const body of bodies) {
        const { status } = await send(body);
        expect(status, body).toBe(200);
        expect(reached).toMatchObject({ model: "coder", sampling: { temperature: null } });
      }
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect({}).not.toHaveProperty("polluted");
      const biased = await send(
        `{"model":"coder","messages":[{"role":"user","content":"hi"}],"logit_bias":{"${key}":1}}`,
      );
      expect([200, 400]).toContain(biased.status);
    },
  );

  test("a body that is nothing but a prototype is no chat", async () => {
    expect((await send(`{"__proto__":${JSON.stringify(hello)}}`)).status).toBe(400);
    expect((await send(`{"constructor":{"prototype":${JSON.stringify(hello)}}}`)).status).toBe(400);
  });

  test("of a key that is there twice the last one counts, as in every JavaScript client", async () => {
    const body =
      '{"model":"other","model":"coder","temperature":1,"messages":[{"role":"user","content":"hi"}],"temperature":0}';
    expect((await send(body)).status).toBe(200);
    expect(reached).toMatchObject({ model: "coder", sampling: { temperature: 0 } });
    expect((await send(`${body.slice(0, -1)},"messages":5}`)).error?.param).toBe("messages");
  });
});
