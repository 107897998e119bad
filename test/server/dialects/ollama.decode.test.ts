/** What an Ollama body means here: chats, prompts, loads, and what is noted or refused by name. */
import { describe, expect, test } from "vitest";
import { chatAmongServed } from "../../../server/dialects/ollama/among-served.ts";
import { ollamaEmbed, ollamaEmbeddings } from "../../../server/dialects/ollama/embed.ts";
import { servedName } from "../../../server/dialects/ollama/names.ts";
import { ollama, ollamaGenerate } from "../../../server/dialects/ollama/ollama.ts";
import { chatBody, generateBody } from "../../../server/dialects/ollama/schema.ts";
import { numericPlaces, withRawAt } from "../../support/schema-numbers.ts";
import { coder } from "../http/room.ts";

const user = { role: "user", content: "hi" };
const chat = (wishes: object) => ollama.decodeChat({ model: "coder", messages: [user], ...wishes });
const generate = (wishes: object) => ollamaGenerate.decodeChat({ model: "coder", prompt: "hi", ...wishes });
const refusalOf = (ask: () => unknown) => {
  try {
    ask();
  } catch (thrown) {
    return thrown;
  }
  return null;
};
const png = "iVBORw0KGgoAAAANSUhEUg==";

describe("a chat", () => {
  test("is streamed unless it says otherwise, and always says what it used", () => {
    expect(chat({})).toMatchObject({ stream: true, includeUsage: true, choices: 1, completion: null });
    expect(chat({ stream: false })).toMatchObject({ stream: false });
  });

  test("the body is kept as it came", () => {
    const body = { model: "coder", messages: [user], x_foo: 1 };
    expect(ollama.decodeChat(body).wire).toEqual({ dialect: "ollama", body });
  });

  test("options become sampling, a bound and stop strings", () => {
    const options = {
      ...{ temperature: 0.2, top_p: 0.9, top_k: -1, min_p: 0.1, seed: -1, num_predict: -1, stop: ["x", ""] },
      ...{ repeat_penalty: 1.1, presence_penalty: 0.5, frequency_penalty: -0.5, num_gpu: 99, num_thread: 4 },
    };
    expect(chat({ options })).toMatchObject({
      sampling: {
        ...{ temperature: 0.2, topP: 0.9, topK: 0, minP: 0.1, seed: null },
        ...{ repeatPenalty: 1.1, presencePenalty: 0.5, frequencyPenalty: -0.5 },
      },
      maxTokens: null,
      stop: ["x"],
    });
    expect(chat({ options: { num_predict: 7, seed: 5 } })).toMatchObject({ maxTokens: 7, sampling: { seed: 5 } });
    expect(chat({ options: { num_gpu: 99 } }).notes).toBeUndefined();
  });

  test("what would change the answer and is not done is noted", () => {
    const notes = chat({ keep_alive: "5m", options: { mirostat: 2, tfs_z: 1, repeat_last_n: 64 } }).notes;
    expect(notes).toEqual([
      { code: "wish_not_kept", detail: "keep_alive" },
      { code: "wish_not_kept", detail: "options.mirostat" },
      { code: "wish_not_kept", detail: "options.repeat_last_n" },
    ]);
  });

  test.each([
    [undefined, undefined],
    [null, undefined],
    [true, { effort: null, budgetTokens: null, summary: "auto" }],
    [false, { effort: "none", budgetTokens: null, summary: null }],
    ["high", { effort: "high", budgetTokens: null, summary: null }],
    ["max", { effort: "xhigh", budgetTokens: null, summary: null }],
  ])("think %j", (think, reasoning) => {
    expect(chat({ think }).reasoning).toEqual(reasoning);
  });

  test.each([
    [undefined, { type: "text" }],
    ["", { type: "text" }],
    ["json", { type: "json-object" }],
    [{ type: "object" }, { type: "json-schema", schema: { type: "object" }, param: "format" }],
  ])("format %j", (format, responseFormat) => {
    expect(chat({ format }).responseFormat).toEqual(responseFormat);
  });

  test("images are told apart by their first bytes, also as data URLs", () => {
    const { messages } = chat({ messages: [{ ...user, images: [png, `data:image/png;base64,${png}`, "/9j/4AAQ"] }] });
    expect(messages[0]?.content.slice(1)).toEqual([
      { type: "image", source: { kind: "base64", mediaType: "image/png", data: png } },
      { type: "image", source: { kind: "base64", mediaType: "image/png", data: png } },
      { type: "image", source: { kind: "base64", mediaType: "image/jpeg", data: "/9j/4AAQ" } },
    ]);
  });

  test("without messages the model is loaded", () => {
    expect(chat({ messages: [] })).toMatchObject({ loadOnly: true, messages: [] });
    expect(ollama.decodeChat({ model: "coder" })).toMatchObject({ loadOnly: true });
    expect(chat({}).loadOnly).toBeUndefined();
  });

  test("unloading is not for clients", () => {
    for (const zero of [0, "0", "0s"]) {
      expect(refusalOf(() => chat({ messages: [], keep_alive: zero }))).toMatchObject({
        code: "invalid_request",
        param: "keep_alive",
        message: expect.stringContaining("lanthorn models unload"),
      });
    }
    expect(chat({ keep_alive: 0 }).notes).toHaveLength(1);
  });
});

describe("tool calls and their results", () => {
  const call = (name: string, id?: string) => ({
    ...(id === undefined ? {} : { id }),
    function: { name, arguments: {} },
  });
  const assistant = (...tool_calls: object[]) => ({ role: "assistant", content: "", tool_calls });
  const result = (content: string, wishes: object = {}) => ({ role: "tool", content, ...wishes });
  const idsOf = (messages: object[]) =>
    chat({ messages: [user, ...messages] }).messages.flatMap((message) =>
      message.role === "assistant"
        ? message.toolCalls.map(({ id }) => id)
        : message.role === "tool"
          ? [message.toolCallId]
          : [],
    );

  test("without ids, results go to the calls in order", () => {
    expect(idsOf([assistant(call("f"), call("g")), result("1"), result("2")])).toEqual([
      "call_1_0",
      "call_1_1",
      "call_1_0",
      "call_1_1",
    ]);
  });

  test("a tool's name finds its call, and calls of one tool are answered in order", () => {
    const named = [result("1", { tool_name: "g" }), result("2", { tool_name: "f" }), result("3", { tool_name: "g" })];
    expect(idsOf([assistant(call("f"), call("g"), call("g")), ...named]).slice(3)).toEqual([
      "call_1_1",
      "call_1_0",
      "call_1_2",
    ]);
  });

  test("ids are kept where they are sent, and are never there twice", () => {
    const ids = idsOf([
      assistant(call("f", "a"), call("f", "b")),
      result("2", { tool_call_id: "b" }),
      result("1", { tool_call_id: "a" }),
      assistant(call("f", "a")),
      result("3"),
    ]);
    expect(ids).toEqual(["a", "b", "b", "a", "call_4_0", "call_4_0"]);
  });

  test("a result that comes twice is for the same call", () => {
    expect(idsOf([assistant(call("f")), result("1", { tool_name: "f" }), result("1", { tool_name: "f" })])).toEqual([
      "call_1_0",
      "call_1_0",
      "call_1_0",
    ]);
  });

  test("a result nobody asked for is a 400 with its place", () => {
    const nobody = { code: "invalid_request", param: "messages[1]" };
    expect(refusalOf(() => chat({ messages: [user, result("1")] }))).toMatchObject(nobody);
    const unknown = [user, assistant(call("f")), result("1", { tool_name: "g" })];
    expect(refusalOf(() => chat({ messages: unknown }))).toMatchObject({ param: "messages[2]" });
  });

  test("arguments are an object, or the JSON text of one; tools are kept", () => {
    const calls = [
      { function: { name: "f", arguments: { b: 1, a: "x" } } },
      { function: { name: "f", arguments: '{"a": 1}' } },
      { function: { name: "f" } },
    ];
    const tools = [{ type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } }];
    const request = chat({ messages: [user, assistant(...calls)], tools });
    expect(request.messages[1]).toMatchObject({
      toolCalls: [{ arguments: '{"b":1,"a":"x"}' }, { arguments: '{"a": 1}' }, { arguments: "{}" }],
    });
    expect(request.tools).toEqual([{ name: "f", description: "d", parameters: { type: "object" } }]);
    expect(request.toolChoice).toEqual({ type: "auto" });
  });
});

describe("generate", () => {
  test("a prompt is a user's message, with a system message and images where they are sent", () => {
    expect(generate({ system: "be brief", images: [png] })).toMatchObject({
      completion: null,
      messages: [
        { role: "system", content: [{ text: "be brief" }] },
        { role: "user", content: [{ text: "hi" }, { type: "image" }] },
      ],
    });
  });

  test("raw goes to the model as it is, and a suffix is a gap to be filled", () => {
    expect(generate({ raw: true })).toMatchObject({ messages: [], completion: { prompts: ["hi"], suffix: null } });
    expect(generate({ suffix: "}" })).toMatchObject({ messages: [], completion: { prompts: ["hi"], suffix: "}" } });
    expect(generate({ suffix: "" }).completion).toBeNull();
  });

  test("an empty prompt loads the model; one before a suffix does not", () => {
    expect(generate({ prompt: "" })).toMatchObject({ loadOnly: true, completion: null });
    expect(generate({ prompt: "", raw: true })).toMatchObject({ loadOnly: true, completion: null });
    expect(generate({ prompt: "", suffix: "}" })).toMatchObject({ completion: { prompts: [""], suffix: "}" } });
    expect(generate({ prompt: "", suffix: "}" }).loadOnly).toBeUndefined();
  });

  test.each([
    [{ template: "{{ .Prompt }}" }, "template"],
    [{ context: [1, 2] }, "context"],
    [{ raw: true, system: "x" }, "system"],
    [{ suffix: "x", system: "x" }, "system"],
    [{ raw: true, images: [png] }, "images"],
  ])("%j is refused by name", (wrong, param) => {
    expect(refusalOf(() => generate(wrong))).toMatchObject({ code: "invalid_request", param });
  });
});

describe("S-04 validation table of Ollama's bodies", () => {
  const table: readonly (readonly [wrong: object, param: string])[] = [
    [{ model: undefined }, "model"],
    [{ model: "" }, "model"],
    [{ model: 5 }, "model"],
    [{ messages: "hi" }, "messages"],
    [{ messages: ["hi"] }, "messages[0]"],
    [{ messages: [{ role: "wizard", content: "x" }] }, "messages[0]"],
    [{ messages: [{ role: "user", content: 5 }] }, "messages[0].content"],
    [{ messages: [{ ...user, images: "x" }] }, "messages[0].images"],
    [{ messages: [{ ...user, images: ["AAAA"] }] }, "messages[0].images[0]"],
    [{ messages: [{ ...user, images: [`${png}$`] }] }, "messages[0].images[0]"],
    [{ messages: [{ role: "assistant", tool_calls: [{}] }] }, "messages[0].tool_calls[0].function"],
    [{ tools: [{}] }, "tools[0].function"],
    [{ tools: {} }, "tools"],
    [{ stream: "yes" }, "stream"],
    [{ format: "xml" }, "format"],
    [{ format: 5 }, "format"],
    [{ think: "hard" }, "think"],
    [{ keep_alive: "soon" }, "keep_alive"],
    [{ keep_alive: {} }, "keep_alive"],
    [{ options: [] }, "options"],
    [{ options: { temperature: "hot" } }, "options.temperature"],
    [{ options: { temperature: 3 } }, "options.temperature"],
    [{ options: { num_predict: 0.5 } }, "options.num_predict"],
    [{ options: { num_predict: -3 } }, "options.num_predict"],
    [{ options: { num_ctx: -1 } }, "options.num_ctx"],
    [{ options: { seed: "x" } }, "options.seed"],
    [{ options: { stop: [5] } }, "options.stop"],
    [{ top_logprobs: 2 }, "top_logprobs"],
    [{ logprobs: true, top_logprobs: 99 }, "top_logprobs"],
  ];
  test.each(table)("%j is 400 for %s", (wrong, param) => {
    const refusal = refusalOf(() => chat(wrong));
    expect(refusal).toMatchObject({ code: "invalid_request" });
    expect((refusal as { param: string }).param.slice(0, param.length)).toBe(param);
  });

  test("a hostile number in any numeric field is a finite one, or a 400 that names the field", () => {
    const raws = ["-1", "0", "0.5", "1e308", "1e309", "-1e400", "9007199254740993", '"NaN"', "true", "[]", '{"$gt":0}'];
    let refused = 0;
    for (const [dialect, schema] of [
      [ollama, chatBody],
      [ollamaGenerate, generateBody],
    ] as const) {
      const places = numericPlaces(schema);
      expect(places.length).toBeGreaterThan(12);
      for (const { path } of places) {
        for (const raw of raws) {
          const body = JSON.parse(withRawAt({ model: "coder", messages: [user], prompt: "hi" }, path, raw));
          try {
            const request = dialect.decodeChat(body);
            const numbers = [...Object.values(request.sampling), request.maxTokens, request.logprobs?.top];
            expect(numbers.filter((one) => typeof one === "number" && !Number.isFinite(one))).toEqual([]);
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: "invalid_request", param: expect.stringContaining(String(path[0])) });
            refused += 1;
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(150);
  });

  test("a duration that would keep a careless pattern busy is judged at once", () => {
    const startedMs = performance.now();
    expect(refusalOf(() => chat({ keep_alive: `${"1".repeat(99)}x` }))).toMatchObject({ param: "keep_alive" });
    expect(performance.now() - startedMs).toBeLessThan(500);
  });
});

describe("among the models that are served", () => {
  const models = [coder, { ...coder, alias: "tagged:latest" }, { ...coder, alias: "org/m:7b" }];
  const among = chatAmongServed(ollama, () => models);

  test.each([
    ["coder", "coder"],
    ["coder:latest", "coder"],
    ["tagged", "tagged:latest"],
    ["tagged:latest", "tagged:latest"],
    ["org/m:7b", "org/m:7b"],
    ["org/m", null],
    ["org/m:latest", null],
    ["Coder", null],
    ["coder:latest:latest", null],
    ["", null],
  ])("%j is %j", (asked, alias) => {
    expect(servedName(asked, models)).toBe(alias);
  });

  test("the request goes to the name that is served; an unknown one stays as it is", () => {
    const body = (model: string) => ({ model, messages: [user] });
    expect(among.decodeChat(body("coder:latest")).model).toBe("coder");
    expect(among.decodeChat(body("nobody:latest")).model).toBe("nobody:latest");
  });

  test("a context larger than a request may have is noted with both figures, a smaller one is not", () => {
    const notes = (num_ctx: number) =>
      among.decodeChat({ model: "coder", messages: [user], options: { num_ctx } }).notes;
    expect(notes(8_193)).toEqual([{ code: "wish_not_kept", detail: "options.num_ctx 8193, there are 8192" }]);
    expect(notes(8_192)).toBeUndefined();
  });
});

describe("embeddings", () => {
  test("a text or a list of texts; truncate changes nothing", () => {
    const { request } = ollamaEmbed.decode({ model: "e", input: ["a", "b"], dimensions: 8, truncate: true });
    expect(request).toEqual({
      model: "e",
      inputs: [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
      dimensions: 8,
    });
    expect(ollamaEmbeddings.decode({ model: "e", prompt: "a" }).request.inputs).toEqual([{ type: "text", text: "a" }]);
  });

  test.each([
    [{ input: undefined }, "input"],
    [{ input: [] }, "input"],
    [{ input: "" }, "input"],
    [{ input: ["a", ""] }, "input[1]"],
    [{ input: ["a", 5] }, "input[1]"],
    [{ input: Array(2_049).fill("a") }, "input"],
    [{ dimensions: 0 }, "dimensions"],
  ])("%j is 400 for %s", (wrong, param) => {
    expect(refusalOf(() => ollamaEmbed.decode({ model: "e", input: "a", ...wrong }))).toMatchObject({ param });
  });
});
