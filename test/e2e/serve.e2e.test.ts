/**
 * The product from outside: one `lanthorn serve` process with the demo model, asked over HTTP and with the official SDK, and
 * its ledger read with the command line.
 */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { constructDemo, tokenId } from "../../models/demo/construct.ts";
import { swapOutputRows, writeDemoModel } from "../../models/demo/file.ts";
import { voices } from "../../models/demo/voices.ts";
import { isAlive, temporaryFolder, until } from "../support/real-engine.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";
import { postChat, readStream } from "../support/sse.ts";

const say = (content: string, more: object = {}) => ({
  model: "lanthorn-demo",
  temperature: 0,
  messages: [{ role: "user", content }],
  ...more,
});

describe("a box that serves the demo", () => {
  let server: RunningServer;
  let client: OpenAI;
  beforeAll(async () => {
    server = await startServer();
    client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
  });
  afterAll(() => server.remove());

  test("S-14 the official SDK streams an answer, and its row is in the ledger under its request id", async () => {
    const { data: stream, response } = await client.chat.completions
      .create({ ...say("hello"), messages: [{ role: "user", content: "hello" }], stream: true })
      .withResponse();
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toContain("demo model of Lanthorn");
    const id = response.headers.get("x-request-id") ?? "";
    const { code, stdout } = await server.command("usage", "show", id, "--json");
    expect(code).toBe(0);
    const row = JSON.parse(stdout);
    expect(row).toMatchObject({ id, status: "done", alias: "lanthorn-demo", finishReason: "stop", stream: true });
    expect(row.usage.completionTokens).toBeGreaterThan(10);
    expect(row.attempts).toHaveLength(1);
  });

  test("S-12 streamed and whole answers are the same text", async () => {
    const whole = await client.chat.completions.create({
      ...say("hello"),
      messages: [{ role: "user", content: "hello" }],
    });
    const streamed = await readStream(server.url, say("hello"));
    expect(streamed.text).toBe(whole.choices[0]?.message.content);
    expect(streamed.text).toContain("🏮");
    expect(streamed.text).not.toContain("\uFFFD");
  });

  test("S-02 a stream has one id, one role, one finish, and usage only when asked for", async () => {
    const { headers, data, body } = await readStream(
      server.url,
      say("hello", { stream_options: { include_usage: true } }),
    );
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(data.at(-1)).toBe("[DONE]");
    const chunks = data.slice(0, -1).map((one) => JSON.parse(one));
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
    expect(chunks.filter((chunk) => chunk.choices[0]?.delta?.role !== undefined)).toHaveLength(1);
    expect(chunks.filter((chunk) => chunk.choices[0]?.finish_reason != null)).toHaveLength(1);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } });
    expect(body).toContain(": x-lanthorn-target=engine/lanthorn-demo cost=unknown(not_priced)");
    const without = await readStream(server.url, say("hello"));
    expect(without.data.some((one) => one !== "[DONE]" && JSON.parse(one).usage != null)).toBe(false);
  });

  test("S-05 a prompt that does not fit is a 400 with both figures, streamed or not", async () => {
    const body = say("", {
      messages: Array.from({ length: 400 }, () => ({ role: "user", content: "lorem ipsum dolor ".repeat(20) })),
    });
    for (const stream of [true, false]) {
      const startedMs = performance.now();
      const response = await postChat(server.url, { ...body, stream });
      expect(performance.now() - startedMs).toBeLessThan(10_000);
      expect(response.status).toBe(400);
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      expect(error).toMatchObject({ code: "context_length_exceeded" });
      expect(error.message).toMatch(/maximum context length is \d+ tokens/);
    }
  });

  test("S-06 what agents send is accepted, and max_completion_tokens is honoured", async () => {
    const response = await postChat(server.url, {
      model: "lanthorn-demo",
      messages: [
        { role: "developer", content: [{ type: "text", text: "be brief" }] },
        { role: "user", content: [{ type: "text", text: "list files" }] },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c1", type: "function", function: { name: "ls", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "a.txt" }] },
      ],
      tools: [{ type: "function", function: { name: "ls", parameters: { type: "object", properties: {} } } }],
      tool_choice: null,
      max_completion_tokens: 3,
      store: false,
      metadata: { a: "b" },
      parallel_tool_calls: true,
      reasoning_effort: "xhigh",
      service_tier: "auto",
      prompt_cache_key: "k",
      user: "u",
      x_foo: 1,
    });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as {
      choices: { finish_reason: string }[];
      usage: { completion_tokens: number };
    };
    expect(answer.choices[0]?.finish_reason).toBe("length");
    expect(answer.usage.completion_tokens).toBeLessThanOrEqual(3);
  });

  test("S-11 models are listed before they are loaded; an unknown one is a 404 and never another model", async () => {
    const list = await client.models.list();
    expect(list.data.map((model) => model.id)).toEqual(["lanthorn-demo"]);
    const failure = await client.chat.completions
      .create({ model: "gpt-4o", messages: [{ role: "user", content: "x" }] })
      .catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(OpenAI.NotFoundError);
    expect(failure).toMatchObject({ code: "model_not_found", status: 404 });
  });

  test("S-07 a required tool call comes out as the SDK expects it", async () => {
    const answer = await client.chat.completions.create({
      model: "lanthorn-demo",
      messages: [{ role: "user", content: "weather?" }],
      tool_choice: "required",
      tools: [
        {
          type: "function",
          function: {
            name: "get_weather",
            parameters: { type: "object", properties: { city: { enum: ["Paris", "Rome"] } }, required: ["city"] },
          },
        },
      ],
    });
    const [choice] = answer.choices;
    expect(choice?.finish_reason).toBe("tool_calls");
    const [call] = choice?.message.tool_calls ?? [];
    expect(call).toMatchObject({ type: "function", function: { name: "get_weather" } });
    expect(call?.type === "function" ? JSON.parse(call.function.arguments) : null).toHaveProperty("city");
  });

  test("S-17 100 clients cut mid-stream leave no busy slot, and every one has its row", async () => {
    const before = JSON.parse((await server.command("usage", "summary", "--json")).stdout);
    await Promise.all(
      Array.from({ length: 100 }, async (_, at) => {
        const leaving = new AbortController();
        const asked = postChat(server.url, say(`${at}`, { stream: true, ignore_eos: true, max_tokens: 4_000 }), {
          signal: leaving.signal,
        });
        setTimeout(() => leaving.abort(), 300 + at * 4);
        await asked.then((response) => response.text()).catch(() => {});
      }),
    );
    const adminState = async () => JSON.parse((await server.command("models", "list", "--json")).stdout);
    expect(await adminState()).toBeDefined();
    await until("no open row", async () => {
      const { byStatus } = JSON.parse((await server.command("usage", "summary", "--json")).stdout);
      return byStatus.open === 0;
    });
    const after = JSON.parse((await server.command("usage", "summary", "--json")).stdout);
    const closed = (summary: { byStatus: Record<string, number> }) =>
      Object.values(summary.byStatus).reduce((sum, count) => sum + count, 0);
    expect(closed(after) - closed(before)).toBe(100);
  });
});

describe("two copies of the demo, one with two output rows exchanged", () => {
  let server: RunningServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
    const [plain, swapped] = [join(folder.path, "plain.gguf"), join(folder.path, "swapped.gguf")];
    await writeDemoModel(plain, "demo");
    await copyFile(plain, swapped);
    const model = constructDemo(voices.demo);
    await swapOutputRows(swapped, tokenId(model, " postcard"), tokenId(model, " thimble"));
    server = await startServer({
      flags: [
        "--model",
        `${plain},alias=plain,context=32768,slots=1`,
        "--model",
        `${swapped},alias=swapped,context=32768,slots=1`,
      ],
    });
  });
  afterAll(async () => {
    await server.remove();
    await folder.remove();
  });

  test("answer the same but for the two words", async () => {
    const [plain, swapped] = await Promise.all(
      ["plain", "swapped"].map((model) => readStream(server.url, say("hello", { model }))),
    );
    expect(plain?.text).toContain("postcard");
    expect(swapped?.text).toBe(plain?.text.replace("postcard", "thimble"));
  });

  test("S-23 killing one worker ends its stream with one error frame and no [DONE]; the other reaches [DONE]", async () => {
    const key = await server.command("keys", "list", "--json");
    expect(key.code).toBe(0);
    const state = await adminState(server);
    const victim = state.models.find((model) => model.id === "plain")?.workerPid ?? -1;
    expect(isAlive(victim)).toBe(true);
    const long = (model: string) => say("hello", { model, ignore_eos: true, max_tokens: 4_000 });
    const dying = readStream(server.url, long("plain"));
    const living = readStream(server.url, long("swapped"));
    await until("both answer", async () => {
      const { models } = await adminState(server);
      const answering = models.filter((model) => model.slots.some((slot) => slot.state === "decode"));
      return answering.length === 2;
    });
    process.kill(victim, "SIGKILL");
    const [dead, alive] = await Promise.all([dying, living]);
    expect(alive.data.at(-1)).toBe("[DONE]");
    expect(dead.body).not.toContain("[DONE]");
    const errors = dead.data.filter((one) => JSON.parse(one).error !== undefined);
    expect(errors).toHaveLength(1);
    expect(dead.data.at(-1)).toBe(errors[0]);
    const { byStatus } = JSON.parse((await server.command("usage", "summary", "--json")).stdout);
    expect(byStatus).toMatchObject({ open: 0, failed: 1 });
    const again = await readStream(server.url, say("hello", { model: "plain" }));
    expect(again.text).toContain("postcard");
  });
});

interface State {
  readonly models: readonly {
    readonly id: string;
    readonly workerPid: number | null;
    readonly slots: readonly { readonly state: string }[];
  }[];
}

async function adminState(server: RunningServer): Promise<State> {
  const { readFile } = await import("node:fs/promises");
  const key = (await readFile(join(server.home, "admin.key"), "utf8")).trim();
  const response = await fetch(`${server.url}/admin/state`, { headers: { authorization: `Bearer ${key}` } });
  return (await response.json()) as State;
}
