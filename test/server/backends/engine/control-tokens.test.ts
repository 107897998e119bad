/** Markers that are control tokens, in a real worker: the reader sees them, clients do not, and an end of turn ends a call. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { constructDemo } from "../../../../models/demo/construct.ts";
import { demoFileBytes } from "../../../../models/demo/file.ts";
import { type Voice, voices } from "../../../../models/demo/voices.ts";
import { tokenTypes } from "../../../../models/vocabulary/chatml.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { type RealEngine, realEngine, temporaryFolder } from "../../../support/real-engine.ts";

const never = new AbortController().signal;
const tools = [{ name: "get_weather", description: null, parameters: null }];
/** Told by its four special tokens: two around the call, one that is no marker of anybody, one that ends the turn. */
const spoken = [
  "Look",
  ":",
  "<tool_call>",
  '{"name": "get_',
  'weather", ',
  '"arguments": {"cit',
  'y": "Pa',
  'ris"}',
  "}",
];
const closed = [...spoken, "</tool_call>"].map((piece) => ({ choices: [piece], gap: 0 }));
const ended = [...spoken, "<tool_response>", "never said"].map((piece) => ({ choices: [piece], gap: 0 }));
const other = ["Some", "</tool_response>", "thing"].map((piece) => ({ choices: [piece], gap: 0 }));

function controlVoice(alias: string, plain: Voice["plain"]): { readonly alias: string; readonly bytes: Uint8Array } {
  const model = constructDemo({ ...voices.demo, alias, plain });
  const names: Readonly<Record<string, string>> = { "<tool_response>": "<|call|>", "</tool_response>": "<|secret|>" };
  const { tokens, tokenTypeOf } = model.lexicon;
  const isMark = (at: number) => tokenTypeOf[at] === tokenTypes.mark;
  const lexicon = {
    ...model.lexicon,
    // What a voice says is learned as text as well; two tokens of one spelling are not allowed.
    tokens: tokens.map((token, at) => {
      if (isMark(at)) return names[token] ?? token;
      return /^<\/?tool_/.test(token) ? `nothing-${at}` : token;
    }),
    tokenTypeOf: tokenTypeOf.map((type, at) => (isMark(at) ? tokenTypes.control : type)),
  };
  return { alias, bytes: demoFileBytes({ ...model, lexicon }) };
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let box: RealEngine;
beforeAll(async () => {
  folder = await temporaryFolder();
  const models = [controlVoice("closed", closed), controlVoice("ended", ended), controlVoice("other", other)];
  const files = models.map(({ alias, bytes }) => ({ alias, bytes, path: join(folder.path, `${alias}.gguf`) }));
  await Promise.all(files.map(({ path, bytes }) => writeFile(path, bytes)));
  box = await realEngine(files);
});
afterAll(async () => {
  await box.close();
  await folder.remove();
});

async function ask(model: string, wishes: object) {
  const request = chatRequest("x", { model, ...wishes });
  const { events, text, end } = await collect(
    box.engine.chat(request, { requestId: `req_${model}`, callerName: "ayo" }, never),
  );
  const calls = events.filter((event) => event.type === "tool-call").map((event) => event.name);
  const json = events.map((event) => (event.type === "tool-arguments" ? event.text : "")).join("");
  return { text, calls, json, end };
}

test.each(["closed", "ended"])("a call between control tokens is found: %s", async (model) => {
  expect(await ask(model, { tools })).toMatchObject({
    text: "Look:",
    calls: ["get_weather"],
    json: '{"city":"Paris"}',
    end: { finishReason: "tool-calls" },
  });
});

test("the one call that is wanted ends the generation", async () => {
  const { calls, end } = await ask("closed", { tools, parallelToolCalls: false, ignoreEos: true, maxTokens: 400 });
  expect(calls).toEqual(["get_weather"]);
  expect(end).toMatchObject({ type: "finished", finishReason: "tool-calls" });
  expect(end.usage.completionTokens).toBeLessThan(100);
});

test("without tools the same answer is its text, and no control token shows", async () => {
  expect(await ask("closed", {})).toMatchObject({
    text: 'Look:{"name": "get_weather", "arguments": {"city": "Paris"}}',
    calls: [],
    end: { finishReason: "stop" },
  });
});

test("a control token that is no marker never shows", async () => {
  expect(await ask("other", { tools })).toMatchObject({ text: "Something", calls: [] });
});
