/** Events as Ollama's lines, or as one object. */
import { describe, expect, test } from "vitest";
import { servedName } from "../../../server/dialects/ollama/names.ts";
import { encodeLoaded, encodeModel, encodeModels } from "../../../server/dialects/ollama/models.ts";
import { ollama, ollamaGenerate } from "../../../server/dialects/ollama/ollama.ts";
import type { ChatEvent, FinishReason } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";
import type { ServedModel } from "../../../server/domain/model.ts";
import { aModel, coder, text } from "../http/room.ts";

const facts = { requestId: "req_1", createdAtS: 1_764_000_000, model: "coder", fingerprint: "f" };
const closing = { target: "engine/coder", cost: { known: false, reason: "not_priced" } } as const;
const usage = { promptTokens: 12, cachedTokens: 8, completionTokens: 5, reasoningTokens: 2 };
const timings = { queueMs: 1, loadMs: 20, prefillMs: 300, decodeMs: 4_000 };
const end = (finishReason: FinishReason = "stop"): ChatEvent => ({ type: "finished", finishReason, usage, timings });

interface Line {
  readonly model?: string;
  readonly message?: { readonly content: string; readonly thinking?: string; readonly tool_calls?: unknown };
  readonly [field: string]: unknown;
}

const messages = [{ role: "user", content: "hi" }];
function begin(dialect = ollama, wishes: object = {}) {
  const request = dialect.decodeChat({ model: "coder:latest", messages, prompt: "hi", ...wishes });
  return dialect.chatEncoder(request, facts);
}
function lines(events: readonly ChatEvent[], dialect = ollama, wishes: object = {}): Line[] {
  const encoder = begin(dialect, wishes);
  const bytes = events.map((event) => encoder.frames(event)).join("") + encoder.close(closing);
  expect(bytes.endsWith("\n")).toBe(true);
  return bytes
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line));
}
const whole = (events: readonly ChatEvent[], dialect = ollama, wishes: object = {}): Line =>
  JSON.parse(begin(dialect, wishes).whole(events));

const thought: ChatEvent = { type: "reasoning", text: "Hm." };
const call = (index: number, name: string, ...pieces: string[]): ChatEvent[] => [
  { type: "tool-call", index, id: `call_${index}`, name },
  ...pieces.map((piece): ChatEvent => ({ type: "tool-arguments", index, text: piece })),
];

describe("a chat", () => {
  test("is one line per piece, and a last one with why, how much and how long in nanoseconds", () => {
    const head = { model: "coder:latest", created_at: "2025-11-24T16:00:00.000Z" };
    expect(lines([thought, text("Hel"), text("lo"), end()])).toEqual([
      { ...head, message: { role: "assistant", content: "", thinking: "Hm." }, done: false },
      { ...head, message: { role: "assistant", content: "Hel" }, done: false },
      { ...head, message: { role: "assistant", content: "lo" }, done: false },
      {
        ...head,
        message: { role: "assistant", content: "" },
        done: true,
        done_reason: "stop",
        total_duration: 4_321_000_000,
        load_duration: 20_000_000,
        prompt_eval_count: 12,
        prompt_eval_cached_count: 8,
        prompt_eval_duration: 300_000_000,
        eval_count: 5,
        eval_duration: 4_000_000_000,
        x_lanthorn: { target: "engine/coder", cost: "unknown(not_priced)" },
      },
    ]);
  });

  test("whole, the same in one object", () => {
    expect(whole([thought, text("Hel"), text("lo"), end("length")])).toMatchObject({
      model: "coder:latest",
      message: { role: "assistant", content: "Hello", thinking: "Hm." },
      done: true,
      done_reason: "length",
      eval_count: 5,
    });
  });

  test.each([
    ["stop", "stop"],
    ["length", "length"],
    ["tool-calls", "stop"],
    ["content-filter", "content_filter"],
    ["pause", "stop"],
  ] as const)("finish reason %s is %s", (finishReason, reason) => {
    expect(lines([end(finishReason)]).at(-1)).toMatchObject({ done: true, done_reason: reason });
  });

  test("what the model refuses is text, and what means nothing here is nothing", () => {
    const events: ChatEvent[] = [
      { type: "accepted", promptTokens: 1, queuePosition: 0 },
      { type: "frame", wire: { dialect: "openai-chat", event: null, data: "{}" } },
      { type: "reasoning-block", block: { text: "", signature: "s", dialect: "anthropic-messages" } },
      { type: "refusal", text: "No." },
      end(),
    ];
    expect(lines(events).map(({ message }) => message?.content)).toEqual(["No.", ""]);
    expect(whole(events).message?.content).toBe("No.");
  });

  test("log-probabilities stand beside their text, finite always", () => {
    const chosen = { text: "a", bytes: [97], logprob: -0.5, top: [{ text: "b", bytes: [98], logprob: -Infinity }] };
    const logprobs = [
      { token: "a", bytes: [97], logprob: -0.5, top_logprobs: [{ token: "b", bytes: [98], logprob: -9999 }] },
    ];
    const events: ChatEvent[] = [{ type: "text", text: "a", logprobs: [chosen] }, end()];
    expect(lines(events, ollama, { logprobs: true })[0]).toMatchObject({ logprobs });
    expect(whole(events, ollama, { logprobs: true })).toMatchObject({ logprobs });
    expect(whole([text("a"), end()])).not.toHaveProperty("logprobs");
  });
});

describe("tool calls", () => {
  const two = [...call(0, "f", '{"b":1,', '"a":12345678901234567890}'), ...call(1, "g")];
  const wire = [
    { id: "call_0", function: { index: 0, name: "f", arguments: { b: 1, a: 12345678901234567000 } } },
    { id: "call_1", function: { index: 1, name: "g", arguments: {} } },
  ];

  test("come whole, in one line, with their arguments as an object", () => {
    const [said, called, last] = lines([text("Let me see."), ...two, end("tool-calls")]);
    expect(said?.message?.content).toBe("Let me see.");
    expect(called).toMatchObject({ message: { content: "", tool_calls: wire }, done: false });
    expect(last).toMatchObject({ done: true, done_reason: "stop" });
    expect(whole([...two, end("tool-calls")])).toMatchObject({ message: { content: "", tool_calls: wire } });
  });

  test("their arguments keep every digit, and never break a line", () => {
    const encoder = begin();
    const pieces = call(0, "f", '{\n  "a": 12345678901234567890,\r\n "b": "\u2028"\n}');
    const bytes = [...pieces, end("tool-calls")].map((event) => encoder.frames(event)).join("");
    expect(bytes).toContain("12345678901234567890");
    expect(bytes.split(/[\n\r\u0085\u2028\u2029]/)).toHaveLength(2);
  });

  test("text after a call comes after it", () => {
    const order = lines([...call(0, "f", "{}"), text("Done."), end()]).map(({ message }) =>
      message?.tool_calls === undefined ? message?.content : "call",
    );
    expect(order).toEqual(["call", "Done.", ""]);
  });

  test("agents 16: a call that the length cut is left out, and the end says so", () => {
    const events = [...call(0, "f", "{}"), ...call(1, "g", '{"a":'), end("length")];
    expect(lines(events)).toMatchObject([
      { message: { tool_calls: [{ function: { name: "f" } }] } },
      { done: true, done_reason: "length" },
    ]);
    expect(whole(events)).toMatchObject({ message: { content: "", tool_calls: [{ id: "call_0" }] } });
  });

  test("what is no object is text, never an invented call", () => {
    const events = [...call(0, "f", "[1]"), end("tool-calls")];
    expect(lines(events).map(({ message }) => [message?.content, message?.tool_calls])).toEqual([
      ["[1]", undefined],
      ["", undefined],
    ]);
    expect(whole(events).message).toEqual({ role: "assistant", content: "[1]" });
  });
});

describe("generate", () => {
  test("has its text in response", () => {
    expect(lines([thought, text("Hi"), end()], ollamaGenerate)).toMatchObject([
      { response: "", thinking: "Hm.", done: false },
      { response: "Hi", done: false },
      { response: "", done: true, done_reason: "stop" },
    ]);
    expect(whole([thought, text("Hi"), end()], ollamaGenerate)).toMatchObject({ response: "Hi", thinking: "Hm." });
  });

  test("a load says so", () => {
    expect(lines([end()], ollamaGenerate, { prompt: "" })).toMatchObject([
      { response: "", done: true, done_reason: "load", load_duration: 20_000_000 },
    ]);
    expect(whole([end()], ollama, { messages: [] })).toMatchObject({ done: true, done_reason: "load" });
  });
});

describe("an answer that fails", () => {
  test("ends with a line that holds one text, and no line says done", () => {
    const failure = new Failure("worker_died", "The model's process ended.");
    const failed: ChatEvent = { type: "failed", failure, usage, timings };
    expect(lines([text("half"), ...call(0, "f", "{"), failed])).toEqual([
      expect.objectContaining({ done: false }),
      { error: "The model's process ended." },
    ]);
  });

  test("S-16 the sign of life is a line without text that names the model", () => {
    for (const dialect of [ollama, ollamaGenerate]) {
      const line = JSON.parse(begin(dialect).keepAlive?.() ?? "");
      expect(line).toMatchObject({ model: "coder:latest", created_at: expect.any(String), done: false });
      expect(line.message?.content ?? line.response).toBe("");
    }
  });
});

test("no text can break a line, also for readers that know more line ends than one", () => {
  const hostile = 'a\nb\r\nc\u2028d\u2029e\u0085f"g\\h\u0000';
  const encoder = begin(ollama, { model: hostile });
  const bytes = encoder.frames(text(hostile)) + encoder.frames({ type: "reasoning", text: hostile });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what Python's splitlines cuts at
  const cut = bytes.split(/\r\n|[\n\r\u000b\u000c\u001c-\u001e\u0085\u2028\u2029]/);
  expect(cut).toHaveLength(3);
  expect(JSON.parse(cut[0] ?? "")).toMatchObject({ model: hostile, message: { content: hostile } });
});

describe("models", () => {
  const local: ServedModel = {
    ...coder,
    details: { architecture: "qwen2", tools: true, thinking: false, quantization: "Q4_K_M" },
  };
  const cloud: ServedModel = {
    ...coder,
    ...{ alias: "big", fileName: "", sizeBytes: 0, contextLength: 0, slots: 0 },
    elsewhere: { provider: "openai", model: "gpt-5.5" },
  };
  const embedder: ServedModel = { ...coder, alias: "embed", capabilities: ["embeddings"], embeddingLength: 64 };

  test("agents 5: the list has the names exactly as they are configured", () => {
    const { models } = JSON.parse(encodeModels([local, cloud, embedder]));
    expect(models.map(({ name, model }: { name: string; model: string }) => [name, model])).toEqual([
      ["coder", "coder"],
      ["big", "big"],
      ["embed", "embed"],
    ]);
    expect(models[0]).toMatchObject({
      size: 1000,
      modified_at: "2023-11-14T22:13:20.000Z",
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      details: { format: "gguf", family: "qwen2", families: ["qwen2"], quantization_level: "Q4_K_M" },
      capabilities: ["completion", "tools"],
    });
    expect(models[1]).toMatchObject({ remote_model: "gpt-5.5", remote_host: "openai" });
    expect(models[2].capabilities).toEqual(["embedding"]);
    expect(new Set(models.map(({ digest }: { digest: string }) => digest)).size).toBe(3);
    expect(JSON.parse(encodeModels([{ ...local, sizeBytes: 1001 }])).models[0].digest).not.toBe(models[0].digest);
  });

  test("show tells the context that one request may have, and what the model can do", () => {
    expect(JSON.parse(encodeModel(local))).toMatchObject({
      details: { family: "qwen2" },
      model_info: { "general.architecture": "qwen2", "qwen2.context_length": 8192 },
      parameters: "num_ctx 8192",
      capabilities: ["completion", "tools"],
    });
    expect(JSON.parse(encodeModel(embedder)).model_info).toMatchObject({ "unknown.embedding_length": 64 });
    expect(JSON.parse(encodeModel(cloud)).model_info).toEqual({
      "general.architecture": "unknown",
      "general.basename": "big",
    });
    const thinking = { ...local, details: { architecture: "x", tools: false, thinking: true, quantization: null } };
    expect(JSON.parse(encodeModel(thinking)).capabilities).toEqual(["completion", "thinking"]);
  });

  test("loaded are those in memory, with when they leave it", () => {
    const view = { ...aModel("coder"), until: 1_700_000_300_000 };
    const away = { ...view, id: "embed", workerPid: null, state: "unloaded" as const };
    const { models } = JSON.parse(encodeLoaded([local, embedder], [view, away], true));
    expect(models).toMatchObject([
      { name: "coder", expires_at: "2023-11-14T22:18:20.000Z", size_vram: 0, context_length: 8192 },
    ]);
    const pinned = JSON.parse(encodeLoaded([local], [{ ...view, until: null }], false));
    expect(pinned.models[0]).toMatchObject({ size_vram: 1000, expires_at: expect.stringMatching(/^2318/) });
    expect(servedName("coder:latest", [local])).toBe("coder");
  });
});
