/** S-09 on the real engine and the demo model: the nine cases of Open Responses, and what agents send besides. */
import { readFileSync } from "node:fs";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codexBody } from "../../support/codex-body.ts";
import { type RealBox, realBox } from "../../support/real-box.ts";

let box: RealBox;
let client: OpenAI;
beforeAll(async () => {
  box = await realBox();
  client = new OpenAI({ apiKey: "none", baseURL: `${box.started.url}/v1`, maxRetries: 0 });
});
afterAll(() => box.stop());

const model = "lanthorn-demo";
const short = { model, max_output_tokens: 24, temperature: 0 } as const;
const weather = {
  type: "function" as const,
  name: "get_weather",
  parameters: { type: "object", properties: { city: { enum: ["Paris", "Rome"] } }, required: ["city"] },
  strict: true,
};

/** Output goes back as input: the SDK's types allow kinds of items that are not made here, and not there. */
const asInput = (items: readonly object[]) => items as OpenAI.Responses.ResponseInput;

function post(body: object): Promise<Response> {
  return fetch(`${box.started.url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...short, ...body, model }),
  });
}

describe("S-09 the nine cases", () => {
  test("basic", async () => {
    const answer = await client.responses.create({ ...short, input: "Hello" });
    expect(answer.output_text).toMatch(/^Hello!/);
    expect(answer.usage?.input_tokens).toBeGreaterThan(0);
  });

  test("streaming: the same text as in one piece", async () => {
    const whole = await client.responses.create({ ...short, input: "Hello" });
    const stream = client.responses.stream({ ...short, input: "Hello" });
    let text = "";
    stream.on("response.output_text.delta", ({ delta }) => (text += delta));
    const final = await stream.finalResponse();
    expect(text).toBe(whole.output_text);
    expect(final.output_text).toBe(whole.output_text);
    expect(final.status).toBe(whole.status);
  });

  test("system prompt: it is part of what is counted", async () => {
    const plain = await client.responses.create({ ...short, input: "Hello" });
    const told = await client.responses.create({ ...short, instructions: "Talk like a lamplighter.", input: "Hello" });
    expect(told.usage?.input_tokens).toBeGreaterThan(plain.usage?.input_tokens ?? 0);
  });

  let first: OpenAI.Responses.Response;
  test("tool calling, with arguments that follow the schema", async () => {
    const asked = { ...short, max_output_tokens: 200, input: "Weather in Paris?", tools: [weather] };
    first = await client.responses.create({ ...asked, tool_choice: { type: "function", name: "get_weather" } });
    const [call] = first.output;
    if (call?.type !== "function_call") throw new Error("no call");
    expect(["Paris", "Rome"]).toContain(JSON.parse(call.arguments).city);
    expect(call.status).toBe("completed");
  });

  test("call round trip, by items and by previous_response_id", async () => {
    const outputs = first.output.flatMap((item) =>
      item.type === "function_call"
        ? [{ type: "function_call_output" as const, call_id: item.call_id, output: "sunny" }]
        : [],
    );
    const items = asInput([{ role: "user", content: "Weather in Paris?" }, ...first.output, ...outputs]);
    const byItems = await client.responses.create({ ...short, tools: [weather], input: items });
    const byName = { ...short, tools: [weather], previous_response_id: first.id, input: outputs };
    const byPrevious = await client.responses.create(byName);
    // The same conversation, however it was told.
    expect(byPrevious.usage?.input_tokens).toBe(byItems.usage?.input_tokens);
    expect(byPrevious.output_text).toBe(byItems.output_text);
  });

  test.each([
    ["images", { type: "input_image", image_url: "data:image/png;base64,AA==" }],
    ["files", { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AA==" }],
  ])("image and file input: %s that a text model cannot read are refused clearly", async (what, part) => {
    const content = [{ type: "input_text", text: "What is it?" }, part];
    const answer = await post({ input: [{ role: "user", content }], stream: true });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { code: "unsupported", message: expect.stringContaining(`reads no ${what}`) },
    });
  });

  test("multi turn, by items, by previous_response_id and by references to items", async () => {
    const one = await client.responses.create({ ...short, input: "Hello" });
    const hello = { role: "user" as const, content: "Hello" };
    const again = { role: "user" as const, content: "And again" };
    const byItems = await client.responses.create({ ...short, input: asInput([hello, ...one.output, again]) });
    const byName = await client.responses.create({ ...short, previous_response_id: one.id, input: "And again" });
    const references = one.output.map(({ id }) => ({ type: "item_reference" as const, id: id ?? "" }));
    const byReference = await client.responses.create({ ...short, input: asInput([hello, ...references, again]) });
    const counts = [byItems, byName, byReference].map(({ usage }) => usage?.input_tokens);
    expect(new Set(counts).size).toBe(1);
    expect(counts[0]).toBeGreaterThan(one.usage?.input_tokens ?? 0);
    // What a response answers is what its list shows, oldest first.
    const items = await client.responses.inputItems.list(byName.id, { order: "asc" });
    expect(items.data.map((item) => (item.type === "message" ? item.role : item.type))).toEqual([
      ...["user", "assistant", "user"],
    ]);
  });
});

describe("what agents send", () => {
  test("agents 5: a turn of Codex is answered, streamed, and ends with its usage", async () => {
    const answer = await post(codexBody());
    const text = await answer.text();
    expect(answer.status).toBe(200);
    const last = text.trimEnd().split("\n\n").at(-1) ?? "";
    expect(last).toMatch(/^event: response\.(?:completed|incomplete)\n/);
    const { response } = JSON.parse(last.slice(last.indexOf("data: ") + 6));
    expect(response.usage.input_tokens).toBeGreaterThan(0);
    expect(response.store).toBe(false);
    // It changes its ids every time and no character of its prompt: the second is answered from the cache.
    const again = await post({ ...codexBody({ seed: "b" }), stream: false });
    const { usage } = (await again.json()) as typeof response;
    expect(usage.input_tokens).toBe(response.usage.input_tokens);
    expect(usage.input_tokens_details.cached_tokens).toBeGreaterThan(response.usage.input_tokens / 2);
  });

  test("agents 9: a forced custom tool is answered with its free text, and the record says what was not kept", async () => {
    const asked = { input: "Patch it", tools: codexBody().tools, max_output_tokens: 400 };
    const answer = await post({ ...asked, tool_choice: { type: "custom", name: "apply_patch" } });
    const body = (await answer.json()) as { output: { type: string; name: string; input: string }[] };
    expect(body.output[0]).toMatchObject({ type: "custom_tool_call", name: "apply_patch", input: expect.any(String) });
    expect(body.output[0]?.input).not.toMatch(/^\{"input"/);

    const key = readFileSync(`${box.home}/admin.key`, "utf8").trim();
    const id = answer.headers.get("x-request-id");
    const shown = await fetch(`${box.started.url}/admin/usage/requests/${id}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const { notes } = (await shown.json()) as { notes: { code: string; detail: string }[] };
    expect(notes).toEqual(
      expect.arrayContaining([
        { code: "tool_ignored", detail: "web_search" },
        { code: "tool_grammar_unenforced", detail: "apply_patch" },
      ]),
    );
  });

  test("agents 5: the warm-up of Codex' LM Studio mode is answered", async () => {
    const answer = await post({ input: "", max_output_tokens: 1 });
    expect(answer.status).toBe(200);
  });
});

test("nothing is kept that was not asked for, and nothing where keeping is switched off", async () => {
  const none = await realBox({ LANTHORN_RESPONSES_KEEP_DAYS: "0" });
  try {
    const other = new OpenAI({ apiKey: "none", baseURL: `${none.started.url}/v1`, maxRetries: 0 });
    const answer = await other.responses.create({ ...short, max_output_tokens: 1, input: "Hello", store: true });
    expect(answer).toMatchObject({ store: false });
    await expect(other.responses.retrieve(answer.id)).rejects.toThrow(OpenAI.NotFoundError);
  } finally {
    await none.stop();
  }
});
