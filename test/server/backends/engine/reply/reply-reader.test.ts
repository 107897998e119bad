/** What holds for every family: nothing is lost, nothing waits without need, and calls say the same however they are cut. */
import { describe, expect, test } from "vitest";
import { replyFormatOf } from "../../../../../server/backends/engine/reply/format-of.ts";
import { replyFamilies } from "../../../../../server/backends/engine/reply/index.ts";
import { read, repliesOf, replyFormats } from "../../../../support/replies.ts";

/** Numbers from a seed: the same texts in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const fragments = [
  ..."{}[]\"':,\n` <>|/\\;=".split(""),
  "name",
  '"name"',
  '"name": "list_files"',
  '"arguments": {',
  "list_files",
  "```",
  "```json\n",
  "</tool_call>",
  "<function=",
  "<parameter=",
  "</think>",
  "a word",
  "🏮",
  "\ud83c",
  "é",
  "\r\n\n",
  " to=functions.list_files",
  ...replyFormats.flatMap((format) => replyFamilies[format].markers),
];

describe.each(replyFormats)("%s", (format) => {
  test("a random text says the same however it is cut, and a text without calls is there to the last character", () => {
    const random = randomFrom(7);
    let plain = 0;
    for (let round = 0; round < 1_500; round += 1) {
      const count = 1 + Math.floor(random() * 14);
      const text = Array.from({ length: count }, () => fragments[Math.floor(random() * fragments.length)]).join("");
      const cut = Math.floor(random() * text.length);
      const whole = read(format, [text]);
      const said = ({ text, reasoning, calls, finish }: typeof whole) => ({ text, reasoning, calls, finish });
      expect(said(read(format, [text.slice(0, cut), text.slice(cut)])), JSON.stringify(text)).toEqual(said(whole));
      expect(said(read(format, text.split(""))), JSON.stringify(text)).toEqual(said(whole));
      const structured =
        format === "gpt-oss" ? /<\|/.test(text) : /^\s*(?:<think>|\[THINK\]|<\/think>|\[\/THINK\])/.test(text);
      if (whole.calls.length > 0 || structured) continue;
      plain += 1;
      expect(whole.text).toBe(text);
    }
    expect(plain).toBeGreaterThan(300);
  });

  test("ordinary text leaves at once", () => {
    const pieces = ["Hello", " there", ", 2", " < ", "3 ", "and", " [1]", " {x}", " `y`", ".\n", "\nBye", "."];
    const { perPiece } = read(format, pieces);
    const sent = perPiece
      .slice(0, -1)
      .map((events) => events.map((event) => ("text" in event ? event.text : "")).join(""));
    let behind = 0;
    for (const [at, piece] of pieces.entries()) {
      behind += piece.length - (sent[at]?.length ?? 0);
      // A bracket or a line break may begin a marker; nothing else waits.
      expect(behind).toBeLessThanOrEqual(1);
    }
  });

  test("no call is made of what was said and taken back, and every id is new", () => {
    const ids = repliesOf(format).flatMap((fixture) => read(format, [fixture.reply]).ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test("arguments leave while they are written", () => {
  const pieces = [
    '<tool_call>{"name": "write_file", "arguments": {"path": "a", "content": "',
    "one",
    " two",
    ' three"}}',
  ];
  const { perPiece } = read("hermes", pieces);
  expect(perPiece[0]?.map((event) => event.type)).toEqual(["tool-call", "tool-arguments"]);
  expect(perPiece.slice(1, 3).flat()).toEqual([
    { type: "tool-arguments", index: 0, text: "one" },
    { type: "tool-arguments", index: 0, text: " two" },
  ]);
});

test("a whole file as a parameter leaves while it is written, too", () => {
  const pieces = ["<function=write_file><parameter=content>\n", "one\n", "two\n", "</parameter></function>"];
  const { perPiece, calls } = read("qwen3-coder", pieces);
  expect(perPiece[1]).toEqual([{ type: "tool-arguments", index: 0, text: "one" }]);
  expect(calls).toEqual([{ name: "write_file", arguments: '{"content":"one\\ntwo"}' }]);
});

test("without parallel calls the first one ends the answer, however it is cut", () => {
  const one = '<tool_call>{"name":"read_file","arguments":{"path":"a"}}</tool_call>';
  const reply = `Text.${one}\n${one}More.`;
  const request = { parallelToolCalls: false };
  for (let cut = 1; cut < reply.length; cut += 1) {
    expect(read("hermes", [reply.slice(0, cut), reply.slice(cut)], { request })).toMatchObject({
      text: "Text.",
      calls: [{ name: "read_file", arguments: '{"path":"a"}' }],
      finish: "tool-calls",
    });
  }
});

describe("forced calls", () => {
  const wishes = { request: { toolChoice: { type: "required" as const } } };

  test.each([
    [
      "hermes",
      '<tool_call>\n{"name": "list_files", "arguments": {}}\n</tool_call>\n<tool_call>\n{"name": "read_file", "arguments": {"path":"}"}}\n</tool_call>',
    ],
    ["llama", '{"name": "list_files", "parameters": {}}; {"name": "read_file", "parameters": {"path":"}"}}'],
    [
      "mistral",
      '[TOOL_CALLS][{"name": "list_files", "arguments": {}}, {"name": "read_file", "arguments": {"path":"}"}}]',
    ],
    ["any", '{"name":"list_files","arguments":{}}\n{"name":"read_file","arguments":{"path":"}"}}'],
  ] as const)("%s: two, in pieces", (format, reply) => {
    for (const pieces of [[reply], reply.split("")]) {
      expect(read(format, pieces, wishes)).toMatchObject({
        text: "",
        calls: [
          { name: "list_files", arguments: "{}" },
          { name: "read_file", arguments: '{"path":"}"}' },
        ],
        finish: "tool-calls",
      });
    }
  });

  test("they do not begin inside reasoning, whatever the prompt says", () => {
    const reply = '<tool_call>\n{"name": "list_files", "arguments": {}}\n</tool_call>';
    const seen = read("hermes", [reply], { ...wishes, promptEnd: "<think>\n" });
    expect(seen).toMatchObject({ reasoning: "", calls: [{ name: "list_files" }] });
  });

  test("gpt-oss names the function in the header", () => {
    const reply = "<|channel|>commentary to=functions.list_files <|constrain|>json<|message|>{}";
    expect(read("gpt-oss", reply.split(""), wishes)).toMatchObject({ text: "", calls: [{ name: "list_files" }] });
  });

  test("one that was cut short ends with `length`", () => {
    const first = '<tool_call>\n{"name": "list_files", "arguments": {}}\n</tool_call>\n';
    const cut = { ...wishes, finish: "length" as const };
    expect(read("hermes", ['<tool_call>\n{"name": "li'], cut)).toMatchObject({ calls: [], finish: "length" });
    expect(read("hermes", [`${first}<tool_call>\n{"na`], cut)).toMatchObject({ finish: "length" });
    expect(read("hermes", [`${first}<tool`], cut)).toMatchObject({ text: "", finish: "tool-calls" });
  });
});

test("JSON that was asked for is no call and no reasoning", () => {
  const reply = '{"name": "list_files", "arguments": {}}';
  const request = { responseFormat: { type: "json-object" as const } };
  expect(read("hermes", [reply], { request, promptEnd: "<think>\n" })).toMatchObject({ text: reply, calls: [] });
});

describe("reasoning tokens", () => {
  test("are those up to the end of the reasoning", () => {
    const pieces = ["<think>", "\n", "One", " two", " three", "\n", "</think>", "\n\n", "Four", " five", "."];
    // Tags and line breaks show nothing; they count with what follows them.
    expect(read("hermes", pieces).reasoningTokens).toBe(5);
  });

  test("are all of them when the answer was cut short in there", () => {
    expect(read("hermes", ["One", " two", "\n"], { promptEnd: "<think>" }).reasoningTokens).toBe(3);
  });

  test("are shared out by length where pieces were joined", () => {
    expect(read("hermes", ["<think>", "abc</think>xyz", "rest"]).reasoningTokens).toBe(1);
  });

  test("there are none without reasoning", () => {
    expect(read("hermes", ["One", " two"]).reasoningTokens).toBe(0);
  });
});

describe("the family of a model", () => {
  const facts = (chatTemplate: string | null, architecture: string | null = null) => ({ chatTemplate, architecture });

  test.each([
    ["hermes", facts("{{ '<tool_call>\\n' }}")],
    ["qwen3-coder", facts("<tool_call><function=x><parameter=y>")],
    ["llama", facts("<|start_header_id|> <|python_tag|>")],
    ["llama", facts('<|start_header_id|> {"name": function name, "parameters": {}}')],
    ["mistral", facts("[AVAILABLE_TOOLS] [TOOL_CALLS]")],
    ["deepseek", facts("{{'<｜Assistant｜><think>'}}")],
    ["deepseek", facts(null, "deepseek2")],
    ["gpt-oss", facts("<|start|>assistant<|channel|>analysis")],
    ["gpt-oss", facts(null, "gpt-oss")],
    ["any", facts("{% for message in messages %}{{ message.content }}{% endfor %}", "qwen2")],
    ["any", facts(null)],
  ] as const)("%s", (format, given) => {
    expect(replyFormatOf(given)).toBe(format);
  });
});
