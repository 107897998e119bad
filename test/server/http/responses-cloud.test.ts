/** `/v1/responses` in front of an upstream of the same wire shape: what passes, what this box remembers, and what breaks. */
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type RealBox, realBox } from "../../support/real-box.ts";
import { standInText, startVendor, type Vendor } from "../../support/vendors/vendor.ts";

/** A target that failed rests: each case has one of its own. */
const models = ["stand-in", "cut", "early"];

let vendor: Vendor;
let box: RealBox;
let client: OpenAI;
beforeAll(async () => {
  vendor = await startVendor({ wire: "responses", models });
  const providers = { acme: { type: "perplexity", baseUrl: vendor.baseUrl, models } };
  const environment = {
    LANTHORN_PROVIDERS: JSON.stringify(providers),
    LANTHORN_PROVIDER_ACME_KEY: "sk-4f2a9c77b1e0d3",
  };
  box = await realBox(environment, { environment });
  client = new OpenAI({ apiKey: "none", baseURL: `${box.started.url}/v1`, maxRetries: 0 });
});
afterAll(async () => {
  await box.stop();
  await vendor.stop();
});
beforeEach(() => {
  vendor.clear();
  vendor.script();
});

const asked = () => vendor.log.asked.map(({ body }) => body as Record<string, unknown>);

test("a conversation goes on by the names that this box gives; the upstream remembers nothing", async () => {
  const first = await client.responses.create({ model: "acme/stand-in", input: "one" });
  expect(first).toMatchObject({ output_text: standInText, model: "acme/stand-in", store: true });
  const stream = client.responses.stream({ model: "acme/stand-in", input: "two", previous_response_id: first.id });
  const second = await stream.finalResponse();
  expect(second).toMatchObject({ output_text: standInText, previous_response_id: first.id });
  expect(first.id).toMatch(/^resp_\w{22}$/);
  expect(second.id).not.toBe(first.id);
  expect(asked()).toMatchObject([{ store: false }, { store: false }]);
  expect(asked()[1]).not.toHaveProperty("previous_response_id");
  expect(asked()[1]?.input).toMatchObject([
    { role: "user", content: "one" },
    { role: "assistant", content: [{ text: standInText }] },
    { role: "user", content: "two" },
  ]);
  expect((await client.responses.retrieve(second.id)).output_text).toBe(standInText);
});

test("it goes on at another target: the model of this box reads what the upstream said", async () => {
  const first = await client.responses.create({ model: "acme/stand-in", input: "one" });
  const alone = await client.responses.create({ model: "lanthorn-demo", input: "two", max_output_tokens: 4 });
  const after = await client.responses.create({
    ...{ model: "lanthorn-demo", input: "two", max_output_tokens: 4 },
    previous_response_id: first.id,
  });
  expect(after.usage?.input_tokens).toBeGreaterThan(alone.usage?.input_tokens ?? 0);
  // And back: nothing of the box's own model is strange to the upstream.
  await client.responses.create({ model: "acme/stand-in", input: "three", previous_response_id: after.id });
  const turns = ["user", "assistant", "user", "assistant", "user"];
  expect(asked().at(-1)?.input).toMatchObject(turns.map((role) => ({ role })));
});

test("with `store: false` it is kept nowhere", async () => {
  const answer = await client.responses.create({ model: "acme/stand-in", input: "one", store: false });
  expect(answer).toMatchObject({ store: false });
  await expect(client.responses.retrieve(answer.id)).rejects.toThrow(OpenAI.NotFoundError);
});

test.each([
  ["cut", { kind: "cut", at: 0.6 }],
  ["early", { kind: "ends-early", afterFrames: 6 }],
] as const)("S-26 a stream that is %s ends as a failed response that is not kept", async (model, fault) => {
  vendor.script({ fault });
  const stream = await client.responses.create({ model: `acme/${model}`, input: "one", stream: true });
  const types: string[] = [];
  let last: OpenAI.Responses.ResponseStreamEvent | null = null;
  for await (const event of stream) {
    types.push(event.type);
    expect(event.sequence_number).toBe(types.length - 1);
    last = event;
  }
  expect(types).not.toContain("response.completed");
  if (last?.type !== "response.failed") throw new Error(`it ends with ${last?.type}`);
  expect(last.response.error?.code).toBe("server_error");
  await expect(client.responses.retrieve(last.response.id)).rejects.toThrow(OpenAI.NotFoundError);
});
