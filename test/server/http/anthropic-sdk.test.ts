/** S-14: Anthropic's own SDK, unmodified, against the HTTP room: what it makes of our answers and our errors. */
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import { noTimings } from "../../../server/domain/usage.ts";
import { failed, finished, offLoopback, openRoom, type Room, text, usage } from "./room.ts";

let room: Room;
let client: Anthropic;
beforeAll(async () => {
  room = await openRoom({ bind: offLoopback });
  client = new Anthropic({ apiKey: room.inferenceKey, baseURL: room.url, maxRetries: 0 });
});
afterAll(() => room.close());
beforeEach(() => {
  room.script = ({ emit }) => emit(text("Hel"), text("lo"), finished);
});

const ask = { model: "coder", max_tokens: 50, messages: [{ role: "user" as const, content: "hi" }] };

test("S-14 a whole answer, its usage, its request's id, the list of models, a count", async () => {
  const answer = await client.messages.create(ask);
  expect(answer).toMatchObject({
    content: [{ type: "text", text: "Hello" }],
    stop_reason: "end_turn",
    usage: { input_tokens: 3, cache_read_input_tokens: 2, output_tokens: 2 },
  });
  expect(answer._request_id).toMatch(/^req_/);
  const models = [];
  for await (const model of client.models.list()) models.push(model.id);
  expect(models).toEqual(["coder", "org/coder:7b@q4"]);
  const { max_tokens: _, ...prompt } = ask;
  expect((await client.messages.countTokens(prompt)).input_tokens).toBe(1);
});

test("S-14 a streamed answer, thinking signed and text in pieces", async () => {
  room.script = ({ emit }) => emit({ type: "reasoning", text: "Hm." }, text("Hel"), text("lo"), finished);
  const stream = client.messages.stream(ask);
  const pieces: string[] = [];
  stream.on("text", (piece) => pieces.push(piece));
  const final = await stream.finalMessage();
  expect(pieces).toEqual(["Hel", "lo"]);
  expect(final.content).toEqual([
    { type: "thinking", thinking: "Hm.", signature: expect.stringMatching(/./) },
    { type: "text", text: "Hello" },
  ]);
  expect(final).toMatchObject({ stop_reason: "end_turn", usage: { output_tokens: 2 } });
});

test("S-14 tools: calls in pieces, parallel and without arguments, and their results in the next turn", async () => {
  room.script = ({ emit }) =>
    emit(
      { type: "tool-call", index: 0, id: "toolu_a", name: "weather" },
      { type: "tool-arguments", index: 0, text: '{"city":' },
      { type: "tool-arguments", index: 0, text: '"Ulm"}' },
      { type: "tool-call", index: 1, id: "toolu_b", name: "time" },
      { type: "finished", finishReason: "tool-calls", usage, timings: noTimings },
    );
  const tools = [
    { name: "weather", input_schema: { type: "object" as const } },
    { name: "time", input_schema: { type: "object" as const } },
  ];
  const first = await client.messages.stream({ ...ask, tools }).finalMessage();
  expect(first.content).toEqual([
    { type: "tool_use", id: "toolu_a", name: "weather", input: { city: "Ulm" } },
    { type: "tool_use", id: "toolu_b", name: "time", input: {} },
  ]);
  room.script = null;
  const results = ["toolu_a", "toolu_b"].map((id) => ({ type: "tool_result" as const, tool_use_id: id, content: id }));
  const messages = [
    ...ask.messages,
    { role: "assistant" as const, content: first.content },
    { role: "user" as const, content: results },
  ];
  const second = client.messages.create({ ...ask, tools, messages });
  const performance = await room.next();
  expect(performance.request.messages.slice(1)).toMatchObject([
    { role: "assistant", toolCalls: [{ arguments: '{"city":"Ulm"}' }, { arguments: "{}" }] },
    { role: "tool", toolCallId: "toolu_a" },
    { role: "tool", toolCallId: "toolu_b" },
  ]);
  performance.emit(text("It rains."), finished);
  expect((await second).content).toMatchObject([{ text: "It rains." }]);
});

test("S-14 errors become the SDK's own classes", async () => {
  const nobody = new Anthropic({ apiKey: "lth_nobody", baseURL: room.url, maxRetries: 0 });
  await expect(nobody.messages.create(ask)).rejects.toThrow(Anthropic.AuthenticationError);
  await expect(client.messages.create({ ...ask, max_tokens: -1 })).rejects.toThrow(Anthropic.BadRequestError);
  const refusals = [
    ["queue_full", Anthropic.RateLimitError],
    ["model_not_found", Anthropic.NotFoundError],
    ["worker_died", Anthropic.InternalServerError],
    ["context_length_exceeded", Anthropic.BadRequestError],
    ["budget_exceeded", Anthropic.APIError],
  ] as const;
  for (const [code, expected] of refusals) {
    room.script = ({ refuse }) => refuse(new Failure(code, "No."));
    const refused = client.messages.create(ask);
    await expect(refused).rejects.toThrow(expected);
    await expect(refused).rejects.toMatchObject({ errorCode: code, requestID: expect.stringMatching(/^req_/) });
  }
});

test("S-14 a 429 is tried again after its Retry-After; S-28 a used-up budget is not tried again", async () => {
  let tries = 0;
  room.script = ({ emit, refuse }) => {
    tries += 1;
    if (tries === 1) refuse(new Failure("queue_full", "Full.", { retryAfterSeconds: 1 }));
    else emit(text("Hello"), finished);
  };
  const answer = await client.messages.create(ask, { maxRetries: 1 });
  expect([tries, answer.content]).toMatchObject([2, [{ text: "Hello" }]]);

  tries = 0;
  room.script = ({ refuse }) => {
    tries += 1;
    refuse(new Failure("budget_exceeded", "Used up."));
  };
  await expect(client.messages.create(ask, { maxRetries: 2 })).rejects.toMatchObject({ status: 402 });
  expect(tries).toBe(1);
});

test("S-14 a stream that fails throws, and one that is aborted frees what it held", async () => {
  room.script = ({ emit }) => emit(text("half"), failed(new Failure("worker_died", "Its process ended.")));
  await expect(client.messages.stream(ask).finalMessage()).rejects.toMatchObject({ type: "overloaded_error" });

  room.script = null;
  const asked = client.messages.create({ ...ask, stream: true });
  const performance = await room.next();
  performance.emit(text("a"));
  const stream = await asked;
  for await (const event of stream) if (event.type === "content_block_delta") break;
  await performance.left;
});
