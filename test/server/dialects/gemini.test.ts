/** Gemini, called: what it is sent, what its answers say, what its refusals mean. */
import { describe, expect, test } from "vitest";
import type { CallFacts } from "../../../server/dialects/called.ts";
import { geminiSchema } from "../../../server/dialects/gemini/schema.ts";
import { calledDialects } from "../../../server/dialects/index.ts";
import { type ChatEvent, type ChatRequest, type EndEvent, isEnd } from "../../../server/domain/chat.ts";
import { chatRequest } from "../../support/chat-request.ts";
import { saidInEvents } from "../../support/replay/said.ts";

const dialect = calledDialects.gemini;
const facts = (model = "gemini-2.5-flash", maxTokens: number | null = null): CallFacts => ({
  model,
  maxTokens,
  traits: {},
});
const bodyOf = (request: ChatRequest, given = facts()) => JSON.parse(dialect.encodeRequest(request, given).body);
const text = (said: string) => [{ type: "text", text: said }] as const;

describe("the request", () => {
  test("model and method stand in the path, and the key nowhere", () => {
    const path = (stream: boolean, model?: string) =>
      dialect.encodeRequest(chatRequest("hi", { stream }), facts(model)).path;
    expect(path(true)).toBe("/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
    expect(path(false)).toBe("/models/gemini-2.5-flash:generateContent");
    expect(path(false, "tunedModels/a b?")).toBe("/tunedModels/a%20b%3F:generateContent");
    expect(Object.keys(dialect.encodeRequest(chatRequest("hi"), facts()).headers)).toEqual(["content-type"]);
  });

  const image = { type: "image", source: { kind: "base64", mediaType: "image/png", data: "AAAA" } } as const;
  const conversation = chatRequest("", {
    messages: [
      { role: "system", content: text("be brief") },
      {
        role: "user",
        content: [...text("what?"), image, { type: "image", source: { kind: "url", url: "https://a.test/b.webp?x" } }],
      },
      {
        role: "assistant",
        content: text("Let me look."),
        reasoning: "hm",
        reasoningBlocks: [
          { text: "hm", signature: "c2lnLXRleHQ=", dialect: "gemini" },
          { text: "hm", signature: "not-yours", dialect: "anthropic-messages" },
        ],
        toolCalls: [
          { id: "c1", name: "look", arguments: '{"at":1}', signature: "c2lnLWNhbGw=" },
          { id: "c2", name: "zoom", arguments: "" },
        ],
      },
      { role: "tool", toolCallId: "c1", content: [...text("seen"), image] },
      { role: "tool", toolCallId: "c2", content: text("too close"), isError: true },
      { role: "user", content: text("go on") },
    ],
    tools: [
      { name: "look", description: "Looks.", parameters: { type: "object", properties: { at: { type: "integer" } } } },
      { name: "zoom", description: null, parameters: { type: "object", properties: {} } },
    ],
    toolChoice: { type: "named", name: "look" },
    sampling: { ...chatRequest("").sampling, topP: 0.9, topK: 40, seed: 0xffff_ffff },
    stop: ["END"],
    choices: 2,
    reasoning: { effort: "low", budgetTokens: null, summary: "auto" },
  });

  test("everything that was said is said in its words", () => {
    expect(bodyOf(conversation, facts(undefined, 99))).toEqual({
      systemInstruction: { parts: [{ text: "be brief" }] },
      contents: [
        {
          role: "user",
          parts: [
            { text: "what?" },
            { inlineData: { mimeType: "image/png", data: "AAAA" } },
            { fileData: { fileUri: "https://a.test/b.webp?x", mimeType: "image/webp" } },
          ],
        },
        {
          role: "model",
          parts: [
            { text: "Let me look." },
            { text: "", thoughtSignature: "c2lnLXRleHQ=" },
            { functionCall: { id: "c1", name: "look", args: { at: 1 } }, thoughtSignature: "c2lnLWNhbGw=" },
            { functionCall: { id: "c2", name: "zoom", args: {} } },
          ],
        },
        {
          role: "user",
          parts: [
            { functionResponse: { id: "c1", name: "look", response: { output: "seen" } } },
            { inlineData: { mimeType: "image/png", data: "AAAA" } },
            { functionResponse: { id: "c2", name: "zoom", response: { error: "too close" } } },
          ],
        },
        { role: "user", parts: [{ text: "go on" }] },
      ],
      tools: [
        {
          functionDeclarations: [
            {
              name: "look",
              description: "Looks.",
              parameters: { type: "object", properties: { at: { type: "integer" } } },
            },
            { name: "zoom" },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["look"] } },
      generationConfig: {
        ...{ maxOutputTokens: 99, temperature: 0, topP: 0.9, topK: 40, seed: -1, stopSequences: ["END"] },
        ...{ candidateCount: 2, thinkingConfig: { thinkingBudget: 1_024, includeThoughts: true } },
      },
    });
  });

  test("results of one call in several messages are one, as many as there were calls", () => {
    const result = (toolCallId: string, said: string) => ({ role: "tool", toolCallId, content: text(said) }) as const;
    const toolCalls = ["a", "b"].map((id) => ({ id, name: "look", arguments: "{}" }));
    const turn = { role: "assistant", content: [], reasoning: null, toolCalls } as const;
    const messages = [
      turn,
      result("a", "1"),
      result("b", "2"),
      result("a", "3"),
      turn,
      result("a", "4"),
      result("b", "5"),
    ];
    const { contents } = bodyOf(chatRequest("", { messages }), facts());
    const outputs = (at: number) =>
      contents[at].parts.map((part: { functionResponse: { response: object } }) => part.functionResponse.response);
    expect(outputs(1)).toEqual([{ output: "1\n3" }, { output: "2" }]);
    expect(outputs(3)).toEqual([{ output: "4" }, { output: "5" }]);
  });

  test("instructions alone are what the user says: a body without contents is refused there", () => {
    const body = bodyOf(chatRequest("", { messages: [{ role: "system", content: text("be brief") }] }), facts());
    expect(body.contents).toEqual([{ role: "user", parts: [{ text: "be brief" }] }]);
    expect(body).not.toHaveProperty("systemInstruction");
  });

  test("a budget to think becomes the nearest level where there are levels", () => {
    const reasoning = { effort: null, budgetTokens: 10_000, summary: null };
    const config = (model: string) => bodyOf(chatRequest("hi", { reasoning }), facts(model)).generationConfig;
    expect(config("gemini-3-pro-preview").thinkingConfig).toMatchObject({ thinkingLevel: "medium" });
    expect(config("gemini-2.5-flash").thinkingConfig).toMatchObject({ thinkingBudget: 10_000 });
  });

  test("the third generation thinks in levels, and a call without its signature says so", () => {
    const messages = conversation.messages.map((message) =>
      message.role === "assistant"
        ? { ...message, toolCalls: message.toolCalls.map(({ signature: _, ...call }) => call) }
        : message,
    );
    const body = bodyOf({ ...conversation, messages }, facts("gemini-3-pro-preview"));
    expect(body.generationConfig.thinkingConfig).toEqual({ thinkingLevel: "low", includeThoughts: true });
    const signatures = body.contents[1].parts
      .slice(2)
      .map((part: { thoughtSignature?: string }) => part.thoughtSignature);
    expect(signatures).toEqual(["skip_thought_signature_validator", undefined]);
  });

  test.each([
    ["auto", undefined],
    ["required", { mode: "ANY" }],
    ["none", { mode: "NONE" }],
  ] as const)("tool choice %s", (type, config) => {
    const body = bodyOf({ ...conversation, toolChoice: { type } });
    expect(body.toolConfig?.functionCallingConfig).toEqual(config);
  });

  test("a schema goes in the narrow words where they say all, else in full", () => {
    const asked = (schema: object) =>
      bodyOf(chatRequest("hi", { responseFormat: { type: "json-schema", schema: { ...schema }, param: "f" } }))
        .generationConfig;
    const narrow = { type: "object", properties: { a: { type: ["string", "null"] } }, additionalProperties: false };
    expect(asked(narrow)).toMatchObject({
      responseMimeType: "application/json",
      responseSchema: { type: "object", properties: { a: { type: "string", nullable: true } } },
    });
    const full = { type: "integer", multipleOf: 5 };
    expect(asked(full)).toMatchObject({ responseJsonSchema: full });
  });

  test.each<[string, Partial<ChatRequest>, string]>([
    ["log-probabilities", { logprobs: { top: 0 } }, "logprobs"],
    ["six stop strings", { stop: ["1", "2", "3", "4", "5", "6"] }, "stop"],
    ["a bias of tokens", { sampling: { ...chatRequest("").sampling, logitBias: new Map([[1, 1]]) } }, "logit_bias"],
    ["a result of no call", { messages: [{ role: "tool", toolCallId: "x", content: text("y") }] }, "messages[0]"],
  ])("%s cannot be carried, and it says so", (_name, wishes, param) => {
    const asked = () => dialect.encodeRequest(chatRequest("hi", wishes), facts());
    expect(asked).toThrow(expect.objectContaining({ code: "unsupported", param }));
  });
});

describe("schemas in its words", () => {
  test.each<[string, object, object, string[]]>([
    ["a constant", { const: "a" }, { type: "string", enum: ["a"] }, []],
    [
      "one of several, or null",
      { oneOf: [{ type: "string" }, { type: "null" }] },
      { nullable: true, type: "string" },
      [],
    ],
    ["several types", { type: ["string", "integer"] }, { anyOf: [{ type: "string" }, { type: "integer" }] }, []],
    [
      "a reference",
      { $ref: "#/$defs/a", $defs: { a: { type: "array", items: { type: "string" } } } },
      { type: "array", items: { type: "string" } },
      [],
    ],
    [
      "what it has no word for stands in the description",
      { type: "integer", description: "Even.", multipleOf: 2 },
      { type: "integer", description: 'Even.\nMust satisfy: {"multipleOf":2}' },
      ["multipleOf"],
    ],
    [
      "a format it refuses",
      { type: "string", format: "uri" },
      { type: "string", description: 'Must satisfy: {"format":"uri"}' },
      ["format"],
    ],
  ])("%s", (_name, schema, wanted, lost) => {
    expect(geminiSchema({ ...schema })).toEqual({ schema: wanted, lost });
  });

  test("references in circles end, also where every turn makes three of one", () => {
    const again = { $ref: "#/$defs/n" };
    const n = { type: "object", properties: { a: again, b: again, c: again } };
    expect(JSON.stringify(geminiSchema({ ...again, $defs: { n } }).schema).length).toBeLessThan(1_000_000);
    const { schema, lost } = geminiSchema({
      $ref: "#/$defs/n",
      $defs: { n: { type: "object", properties: { n: { $ref: "#/$defs/n" } } } },
    });
    expect(JSON.stringify(schema).length).toBeLessThan(5_000);
    expect(lost).toContain("$ref");
    expect(geminiSchema({ $ref: "#/$defs/n", $defs: { n: { $ref: "#/$defs/n" } } }).lost).toContain("$ref");
  });
});

const tools = chatRequest("hi", { tools: [{ name: "weather", description: null, parameters: null }] });
const chunk = (parts: readonly object[], finishReason?: string, more: object = {}): object => ({
  candidates: [{ content: { role: "model", parts }, index: 0, ...(finishReason && { finishReason }) }],
  ...more,
});

function decoded(frames: readonly (object | string)[], request = tools): readonly ChatEvent[] {
  const decoder = dialect.decoder(request, facts());
  const events = frames.flatMap((frame) => [
    ...decoder.frame({ event: null, data: typeof frame === "string" ? frame : JSON.stringify(frame) }),
  ]);
  return [...events, ...decoder.ended()];
}

function endOf(events: readonly ChatEvent[]): EndEvent {
  const ends = events.filter(isEnd);
  const [end] = ends;
  if (end === undefined || ends.length !== 1 || events.at(-1) !== end) throw new Error("exactly one end, last");
  return end;
}

describe("S-24 the answer", () => {
  test.each<[string, string]>([
    ["STOP", "stop"],
    ["MAX_TOKENS", "length"],
    ["SAFETY", "content-filter"],
    ["RECITATION", "content-filter"],
    ["PROHIBITED_CONTENT", "content-filter"],
  ])("%s ends it as %s", (reason, finishReason) => {
    expect(endOf(decoded([chunk([{ text: "a" }]), chunk([], reason)]))).toMatchObject({
      type: "finished",
      finishReason,
    });
  });

  test("calls come whole, get ids of their own, keep their signature, and make STOP a tool call", () => {
    const call = { name: "weather", args: { a: 1 } };
    const events = decoded([
      chunk([{ functionCall: call, thoughtSignature: "c2ln" }, { functionCall: call }]),
      chunk([{ functionCall: { name: "weather", id: "own" } }], "STOP"),
    ]);
    const calls = events.filter((event) => event.type === "tool-call");
    expect(calls.map(({ signature }) => signature)).toEqual(["c2ln", undefined, undefined]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3);
    expect(calls[2]?.id).toBe("own");
    expect(saidInEvents(events).calls?.[2]?.arguments).toEqual({});
    expect(endOf(events)).toMatchObject({ finishReason: "tool-calls" });
    expect(decoded([chunk([{ functionCall: call }], "STOP")])).toEqual(
      decoded([chunk([{ functionCall: call }], "STOP")]),
    );
  });

  test("a signature on text becomes a block that goes back to Gemini alone", () => {
    const events = decoded([
      chunk([{ text: "hm", thought: true }, { text: "a" }]),
      chunk([{ text: "", thoughtSignature: "c2ln" }], "STOP"),
    ]);
    expect(saidInEvents(events)).toMatchObject({ reasoning: "hm", text: "a" });
    expect(events).toContainEqual(
      expect.objectContaining({ type: "reasoning-block", block: { text: "", signature: "c2ln", dialect: "gemini" } }),
    );
  });

  test("of several usages the last one counts, thoughts and its own tools included", () => {
    const usage = (candidatesTokenCount: number) => ({
      usageMetadata: { promptTokenCount: 9, toolUsePromptTokenCount: 1, candidatesTokenCount, thoughtsTokenCount: 80 },
    });
    const end = endOf(decoded([chunk([{ text: "a" }], undefined, usage(1)), chunk([], "STOP", usage(4))]));
    expect(end.usage).toMatchObject({ promptTokens: 10, completionTokens: 84, reasoningTokens: 80 });
  });

  test("a list of chunks, as a stream without SSE is, is an answer in one piece", () => {
    const body = JSON.stringify([chunk([{ text: "a" }]), chunk([{ text: "b" }], "STOP")]);
    const events = dialect.decoder(tools, facts()).whole(body);
    expect(saidInEvents(events)).toMatchObject({ text: "ab", end: "finished" });
  });

  test("several candidates have an end each", () => {
    const of = (index: number, said: string, finishReason?: string) => ({
      candidates: [{ index, content: { parts: [{ text: said }] }, ...(finishReason && { finishReason }) }],
    });
    const frames = [of(1, "b"), of(0, "a", "STOP"), of(1, "c", "MAX_TOKENS")];
    const events = decoded(frames, chatRequest("hi", { choices: 2 }));
    expect(events).toContainEqual(
      expect.objectContaining({ type: "choice-finished", choice: 1, finishReason: "length" }),
    );
    expect(endOf(events)).toMatchObject({ type: "finished", finishReason: "stop" });
    expect(endOf(decoded(frames.slice(0, 2), chatRequest("hi", { choices: 2 })))).toMatchObject({ type: "failed" });
  });

  test.each<[string, readonly (object | string)[], string]>([
    ["broken off", [chunk([{ text: "a" }])], "upstream_cut"],
    ["nothing at all", [], "upstream_cut"],
    ["a withheld prompt", [{ promptFeedback: { blockReason: "SAFETY" } }], "content_filtered"],
    [
      "an error",
      [chunk([{ text: "a" }]), { error: { code: 503, message: "x", status: "UNAVAILABLE" } }],
      "upstream_overloaded",
    ],
    ["a malformed call", [chunk([], "MALFORMED_FUNCTION_CALL")], "upstream_failed"],
    ["a web page", ["<html>"], "upstream_failed"],
  ])("S-26 %s is one failure", (_name, frames, code) => {
    expect(endOf(decoded(frames))).toMatchObject({ type: "failed", failure: { code } });
  });
});

describe("refusals", () => {
  const refused = (status: number, message: string, details: readonly object[] = [], word = "X") =>
    dialect.decodeFailure({
      status,
      headers: {},
      body: JSON.stringify([{ error: { code: status, message, status: word, details } }]),
      nowMs: 0,
    });

  test.each<[string, number, string, object[], string]>([
    [
      "the key",
      400,
      "API key not valid. Please pass a valid API key.",
      [{ reason: "API_KEY_INVALID" }],
      "upstream_key_refused",
    ],
    [
      "the prompt's length",
      400,
      "The input token count (9) exceeds the maximum number of tokens allowed (8).",
      [],
      "context_length_exceeded",
    ],
    ["a field", 400, "Invalid JSON payload", [], "upstream_invalid_request"],
    ["no permission", 403, "x", [], "upstream_key_refused"],
    ["no such model", 404, "models/x is not found", [], "upstream_model_missing"],
    ["no quota at all", 429, "Quota exceeded, limit: 0", [], "upstream_quota"],
    ["an inner error", 500, "x", [], "upstream_failed"],
    ["too much to do", 503, "x", [], "upstream_overloaded"],
    ["a deadline", 504, "x", [], "upstream_timeout"],
  ])("%s", (_name, status, message, details, code) => {
    expect(refused(status, message, details).code).toBe(code);
  });

  test("a limit names how long to wait, in its details", () => {
    const retry = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.074824224s" };
    const failure = refused(429, "You exceeded your current quota, please check your plan and billing details.", [
      retry,
    ]);
    expect(failure).toMatchObject({ code: "upstream_rate_limited", coolDownMs: 34_075, retryAfterSeconds: 35 });
  });
});

test("its list of models names those that can chat", () => {
  const models = [
    { name: "models/a", supportedGenerationMethods: ["generateContent"] },
    { name: "models/b", supportedGenerationMethods: ["embedContent"] },
  ];
  expect(dialect.models?.ids({ models })).toEqual(["a"]);
});
