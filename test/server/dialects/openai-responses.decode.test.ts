/** Responses bodies become the requests that were meant, whoever sends them; what cannot be given is refused by name. */
import { describe, expect, test } from "vitest";
import { decodeResponse } from "../../../server/dialects/openai-responses/decode.ts";
import { type Kept, noSuchItem, nothingKept, type RawItem } from "../../../server/dialects/openai-responses/kept.ts";
import type { ChatRequest } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { codexBody, codexHistory } from "../../support/codex-body.ts";

const decode = (body: object, kept: Kept = nothingKept): ChatRequest =>
  decodeResponse({ model: "coder", input: "hi", ...body }, kept);

function failureOf(body: object, kept?: Kept): Failure {
  try {
    decode(body, kept);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error("it was taken");
}

const said = (request: ChatRequest) =>
  request.messages.map(({ role, content }) => [role, content.map((part) => ("text" in part ? part.text : part.type))]);

describe("agents 5, 7, 9, 10: what Codex sends", () => {
  test("agents 10: a first turn: developer items are system messages, ids change nothing", () => {
    const request = decode(codexBody());
    expect(said(request)).toEqual([
      ["system", ["You are an agent in a terminal."]],
      ["system", ["Skills.", "Permissions."]],
      ["user", ["<environment_context>\n  <cwd>/home/ada</cwd>\n</environment_context>"]],
      ["user", ["create hello.txt"]],
    ]);
    expect(request).toMatchObject({
      stream: true,
      cacheKey: "0199-session",
      maxTokens: null,
      parallelToolCalls: true,
      reasoning: { effort: null, budgetTokens: null, summary: "auto" },
      toolChoice: { type: "auto" },
    });
    const again = decode(codexBody({ seed: "b" }));
    expect(again.messages).toEqual(request.messages);
    expect(again.tools).toEqual(request.tools);
  });

  test("agents 9: functions, a namespace and a custom tool are offered flat; vendors' tools are left out with a note", () => {
    const { tools, notes } = decode(codexBody());
    expect(tools.map(({ name, namespace }) => [name, namespace])).toEqual([
      ["exec_command", undefined],
      ["spawn_agent", "multi_agent_v1"],
      ["wait_agent", "multi_agent_v1"],
      ["apply_patch", undefined],
    ]);
    expect(tools[0]).toMatchObject({ strict: false, parameters: { type: "object" } });
    expect(tools[3]).toMatchObject({ custom: { grammar: { syntax: "lark" } }, parameters: { required: ["input"] } });
    expect(notes).toEqual([
      { code: "tool_ignored", detail: "web_search" },
      { code: "tool_ignored", detail: "tool_search" },
    ]);
  });

  test("agents 10: a later turn: reasoning, calls and outputs are one message and its results", () => {
    const request = decode(codexBody({ items: codexHistory }));
    expect(request.messages.slice(4)).toEqual([
      {
        role: "assistant",
        content: [{ type: "text", text: "I look first." }],
        reasoning: "Which file?",
        reasoningBlocks: [{ text: "Which file?", signature: "gAAA=", dialect: "openai-responses", id: "rs_1" }],
        toolCalls: [
          { id: "call_1", name: "exec_command", arguments: '{"cmd": "ls"}' },
          { id: "call_2", name: "spawn_agent", arguments: "{}", namespace: "multi_agent_v1" },
          { id: "call_3", name: "apply_patch", arguments: "*** Begin Patch", custom: true },
        ],
      },
      { role: "tool", toolCallId: "call_1", content: [{ type: "text", text: "a.txt" }] },
      { role: "tool", toolCallId: "call_2", content: [{ type: "text", text: "started" }] },
      { role: "tool", toolCallId: "call_3", content: [{ type: "text", text: "Done!" }] },
      { role: "assistant", content: [{ type: "text", text: "done" }], reasoning: null, toolCalls: [] },
      { role: "user", content: [{ type: "text", text: "and now?" }] },
    ]);
  });

  test("agents 5: the warm-up of its LM Studio mode is a request", () => {
    expect(said(decode({ input: "", max_output_tokens: 1 }))).toEqual([["user", []]]);
  });

  test("agents 7: fields nobody knows are no reason to refuse", () => {
    const unknown = {
      ...{ client_metadata: { a: "{}" }, include: ["reasoning.encrypted_content"], truncation: "auto", metadata: {} },
      ...{ stream_options: { include_obfuscation: false }, cache_control: {}, text: { verbosity: "low" }, zz: [1] },
      ...{ reasoning: { effort: "colossal" }, service_tier: "auto", max_tool_calls: 3, prompt: null },
    };
    expect(decode(unknown).messages).toEqual(decode({}).messages);
  });

  test("agents 8: more tokens than any context are taken as they are said", () => {
    expect(decode({ max_output_tokens: 64_000_000 }).maxTokens).toBe(64_000_000);
  });

  test.each([
    ["auto", { type: "auto" }],
    [{ type: "auto" }, { type: "auto" }],
    [undefined, { type: "auto" }],
    ["none", { type: "none" }],
    ["required", { type: "required" }],
    [
      { type: "function", name: "b" },
      { type: "named", name: "b" },
    ],
    [
      { type: "custom", name: "c" },
      { type: "named", name: "c" },
    ],
    [{ type: "web_search" }, { type: "auto" }],
  ])("agents 11: tool_choice %j", (tool_choice, choice) => {
    const tools = [
      { type: "function", name: "a" },
      { type: "function", name: "b" },
      { type: "custom", name: "c" },
    ];
    expect(decode({ tools, tool_choice }).toolChoice).toEqual(choice);
  });
});

describe("tools", () => {
  test("of the same name in two namespaces are told apart, in the history too", () => {
    const inner = (name: string) => ({ type: "namespace", name, tools: [{ type: "function", name: "open" }] });
    const input = [
      { role: "user", content: "hi" },
      { type: "function_call", call_id: "c", name: "open", namespace: "door", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "" },
    ];
    const { tools, messages } = decode({ tools: [inner("door"), inner("file")], input });
    expect(tools.map(({ name }) => name)).toEqual(["door__open", "file__open"]);
    expect(messages[1]).toMatchObject({ toolCalls: [{ name: "door__open", namespace: "door" }] });
  });

  test("allowed_tools shows only some", () => {
    const tools = ["a", "b"].map((name) => ({ type: "function", name }));
    const tool_choice = { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "b" }] };
    expect(decode({ tools, tool_choice })).toMatchObject({ tools: [{ name: "b" }], toolChoice: { type: "required" } });
  });

  test("a custom tool without a grammar is free text", () => {
    const tools = [{ type: "custom", name: "a", format: { type: "text" } }];
    expect(decode({ tools }).tools[0]?.custom).toEqual({ grammar: null });
  });
});

describe("wishes", () => {
  test.each([
    [{ text: { format: { type: "json_object" } } }, { responseFormat: { type: "json-object" } }],
    [
      { text: { format: { type: "json_schema", name: "x", schema: { type: "object" } } } },
      { responseFormat: { type: "json-schema", schema: { type: "object" }, param: "text.format.schema" } },
    ],
    [{ reasoning: { effort: "high" } }, { reasoning: { effort: "high", budgetTokens: null, summary: null } }],
    [{ service_tier: "flex" }, { serviceTier: "flex" }],
    [{ user: "u", safety_identifier: "s" }, { endUser: "s" }],
    [{ include: ["message.output_text.logprobs"], top_logprobs: 3 }, { logprobs: { top: 3 } }],
    [{ temperature: 0.5, top_p: 0.9 }, { sampling: { temperature: 0.5, topP: 0.9 } }],
  ])("%j", (body, meaning) => {
    expect(decode(body)).toMatchObject(meaning);
  });

  test("reasoning that another wire shape signed goes back to where it came from", () => {
    const input = [
      { role: "user", content: "hi" },
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "lanthorn:anthropic-messages:s:Sig\nna=" },
      { type: "reasoning", id: "rs_2", summary: [], encrypted_content: "lanthorn:anthropic-messages:r:Data" },
      { role: "assistant", content: "ok" },
    ];
    expect(decode({ input }).messages[1]).toMatchObject({
      reasoningBlocks: [
        { signature: "Sig\nna=", dialect: "anthropic-messages" },
        { signature: "Data", dialect: "anthropic-messages", redacted: true },
      ],
    });
  });

  test("an item of a kind that nobody knows is left out with a note", () => {
    const input = [
      { role: "user", content: "hi" },
      { type: "local_shell_call", id: "x", action: {} },
    ];
    expect(decode({ input })).toMatchObject({ notes: [{ code: "item_ignored", detail: "local_shell_call" }] });
  });
});

describe("what is kept elsewhere", () => {
  const items: Record<string, RawItem> = { msg_7: { type: "message", id: "msg_7", role: "user", content: "seven" } };
  const kept: Kept = {
    keeps: true,
    conversation: () => [
      { type: "message", id: "msg_1", role: "user", content: "one" },
      { type: "message", id: "msg_2", role: "assistant", content: [{ type: "output_text", text: "two" }] },
    ],
    item: (id) => {
      const found = items[id];
      if (found === undefined) throw noSuchItem(id);
      return found;
    },
  };

  test("is put in its place, for those who read it and for an upstream of the same shape", () => {
    const input = [
      { type: "item_reference", id: "msg_7" },
      { role: "user", content: "eight" },
    ];
    const request = decode({ previous_response_id: "resp_1", input }, kept);
    expect(said(request).map(([, text]) => text)).toEqual([["one"], ["two"], ["seven"], ["eight"]]);
    expect(request.wire?.body).toMatchObject({
      store: true,
      input: [{ id: "msg_1" }, { id: "msg_2" }, { id: "msg_7" }, { content: "eight" }],
    });
  });

  test("a reference without a type is one too; what is missing is named", () => {
    expect(said(decode({ input: [{ id: "msg_7" }] }, kept))).toEqual([["user", ["seven"]]]);
    const failure = failureOf({ input: [{ type: "item_reference", id: "msg_8" }] }, kept);
    expect(failure).toMatchObject({ code: "not_found", message: expect.stringContaining("msg_8") });
  });

  test("where nothing is kept, `store` is false and a previous response is not found", () => {
    expect(decode({ store: true }).wire?.body.store).toBe(false);
    const failure = failureOf({ previous_response_id: "resp_1" });
    expect(failure).toMatchObject({ code: "not_found", param: "previous_response_id" });
  });
});

describe("S-04 what is wrong is named", () => {
  const user = { role: "user", content: "x" };
  test.each<[object, string, string?]>([
    [{ model: "" }, "model"],
    [{ input: 5 }, "input"],
    [{ input: null }, "input"],
    [{ input: [] }, "input"],
    [{ input: ["x"] }, "input[0]"],
    [{ input: [user, { role: "wizard", content: "x" }] }, "input[1].role"],
    [{ input: [{ role: "user", content: 5 }] }, "input[0].content"],
    [{ input: [{ role: "user", content: [{ type: "input_text" }] }] }, "input[0].content[0].text"],
    [{ input: [{ role: "user", content: ["x"] }] }, "input[0].content[0]"],
    [{ input: [{ type: "function_call", name: "a", arguments: "{}" }] }, "input[0].call_id"],
    [{ input: [{ type: "function_call", call_id: "a", name: "a", arguments: {} }] }, "input[0].arguments"],
    [{ input: [user, { type: "function_call_output", call_id: "x", output: "" }] }, "input[1].call_id"],
    [{ input: [{ type: "item_reference" }] }, "input[0].id"],
    [
      { input: [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }] },
      "input[0].content[0].image_url",
    ],
    [
      { input: [{ role: "user", content: [{ type: "input_image", file_id: "f" }] }] },
      "input[0].content[0].image_url",
      "unsupported",
    ],
    [{ input: [{ role: "user", content: [{ type: "input_audio" }] }] }, "input[0].content[0]", "unsupported"],
    [{ max_output_tokens: 0 }, "max_output_tokens"],
    [{ temperature: "hot" }, "temperature"],
    [{ tools: [{}] }, "tools[0].type"],
    [{ tools: ["x"] }, "tools[0]"],
    [{ tools: [{ type: "function" }] }, "tools[0].name"],
    [{ tools: [{ type: "namespace", name: "n", tools: [{ type: "function" }] }] }, "tools[0].tools[0].name"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tool_choice: "required", tools: [{ type: "web_search" }] }, "tool_choice"],
    [{ tool_choice: { type: "function", name: "nobody" } }, "tool_choice"],
    [{ text: { format: { type: "xml" } } }, "text.format.type"],
    [{ text: { format: { type: "json_schema", name: "x" } } }, "text.format.schema"],
    [{ background: true }, "background"],
    [{ prompt: { id: "p" } }, "prompt"],
    [{ conversation: "c" }, "conversation"],
  ])("%j", (body, param, code = "invalid_request") => {
    expect(failureOf(body)).toMatchObject({ param, code });
  });
});
