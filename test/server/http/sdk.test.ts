/** The official OpenAI SDK, unmodified, against the HTTP room: what it makes of our answers and our errors. */
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import { noTimings } from "../../../server/domain/usage.ts";
import { failed, finished, hello, offLoopback, openRoom, type Room, text, usage } from "./room.ts";

let room: Room;
let client: OpenAI;
beforeAll(async () => {
  room = await openRoom({ bind: offLoopback });
  client = new OpenAI({ apiKey: room.inferenceKey, baseURL: `${room.url}/v1`, maxRetries: 0 });
});
afterAll(() => room.close());
beforeEach(() => {
  room.script = ({ emit }) => emit(text("Hel"), text("lo"), finished);
});

const chat = { model: "coder", messages: [{ role: "user" as const, content: "hi" }] };

test("a whole answer and the list of models", async () => {
  const answer = await client.chat.completions.create(chat);
  expect(answer.choices[0]?.message.content).toBe("Hello");
  expect(answer.usage?.prompt_tokens_details?.cached_tokens).toBe(2);
  const models = [];
  for await (const model of client.models.list()) models.push(model.id);
  expect(models).toEqual(["coder", "org/coder:7b@q4"]);
  expect((await client.models.retrieve("org/coder:7b@q4")).id).toBe("org/coder:7b@q4");
});

test("completions, whole and streamed", async () => {
  const whole = await client.completions.create({ model: "coder", prompt: "def" });
  expect(whole.choices[0]).toMatchObject({ text: "Hello", finish_reason: "stop" });
  const pieces: string[] = [];
  const stream = await client.completions.create({ model: "coder", prompt: ["def"], suffix: "}", stream: true });
  for await (const chunk of stream) pieces.push(chunk.choices[0]?.text ?? "");
  expect(pieces.join("")).toBe("Hello");
});

test("a streamed answer, with its final usage", async () => {
  const stream = client.chat.completions.stream({ ...chat, stream_options: { include_usage: true } });
  const pieces: string[] = [];
  stream.on("content", (piece) => pieces.push(piece));
  const final = await stream.finalChatCompletion();
  expect(pieces).toEqual(["Hel", "lo"]);
  expect(final.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "Hello" } });
  expect((await stream.totalUsage()).total_tokens).toBe(7);
});

test("tool calls in pieces", async () => {
  room.script = ({ emit }) =>
    emit(
      { type: "tool-call", index: 0, id: "call_a", name: "weather" },
      { type: "tool-arguments", index: 0, text: '{"city":' },
      { type: "tool-arguments", index: 0, text: '"Ulm"}' },
      { type: "finished", finishReason: "tool-calls", usage, timings: noTimings },
    );
  const tools = [{ type: "function" as const, function: { name: "weather", parameters: { type: "object" } } }];
  const final = await client.chat.completions.stream({ ...chat, tools }).finalChatCompletion();
  expect(final.choices[0]).toMatchObject({
    finish_reason: "tool_calls",
    message: { tool_calls: [{ id: "call_a", function: { name: "weather", arguments: '{"city":"Ulm"}' } }] },
  });
});

test("errors become the SDK's own classes", async () => {
  const nobody = new OpenAI({ apiKey: "lth_nobody", baseURL: `${room.url}/v1`, maxRetries: 0 });
  await expect(nobody.chat.completions.create(chat)).rejects.toThrow(OpenAI.AuthenticationError);
  await expect(client.chat.completions.create({ ...chat, temperature: 9 })).rejects.toMatchObject({
    status: 400,
    param: "temperature",
  });
  const refusals = [
    ["queue_full", OpenAI.RateLimitError],
    ["model_not_found", OpenAI.NotFoundError],
    ["worker_died", OpenAI.InternalServerError],
    ["context_length_exceeded", OpenAI.BadRequestError],
  ] as const;
  for (const [code, expected] of refusals) {
    room.script = ({ refuse }) => refuse(new Failure(code, "No."));
    await expect(client.chat.completions.create(chat)).rejects.toThrow(expected);
  }
});

test("a 429 is tried again after its Retry-After", async () => {
  let tries = 0;
  room.script = ({ emit, refuse }) => {
    tries += 1;
    if (tries === 1) refuse(new Failure("queue_full", "Full.", { retryAfterSeconds: 1 }));
    else emit(text("Hello"), finished);
  };
  const answer = await client.chat.completions.create(chat, { maxRetries: 1 });
  expect([tries, answer.choices[0]?.message.content]).toEqual([2, "Hello"]);
});

test("a stream that fails throws, and one that is aborted frees what it held", async () => {
  room.script = ({ emit }) => emit(text("half"), failed(new Failure("worker_died", "Its process ended.")));
  const broken = await client.chat.completions.create({ ...chat, stream: true });
  const reading = async () => {
    for await (const chunk of broken) expect(chunk.object).toBe("chat.completion.chunk");
  };
  await expect(reading()).rejects.toMatchObject({ code: "worker_died" });

  room.script = null;
  const asked = client.chat.completions.create({ ...hello, ...chat, stream: true });
  const performance = await room.next();
  performance.emit(text("a"));
  const stream = await asked;
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content === "a") break;
  await performance.left;
});
