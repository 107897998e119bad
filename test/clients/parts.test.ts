/** The parts of the client harness that decide something: what counts as unchanged, and how the played model writes its file. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chatRequest, collect } from "../support/chat-request.ts";
import { prefilledBackend } from "./prefilled.ts";
import { scriptedBackend, someUsage } from "../support/scripted-backend.ts";
import { agentPrompt, says, writesTheFile, writingCall } from "./scripts.ts";
import { commonPrefix, unchangedLines } from "./unchanged.ts";

test("docs/clients.md names the versions that are run", () => {
  const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const page = readFileSync(join(import.meta.dirname, "../../docs/clients.md"), "utf8");
  const named = ([name, version]: [string, string]): string =>
    version.startsWith("npm:") ? version.slice("npm:".length).replace("@", " ") : `${name} ${version}`;
  const missing = Object.entries(dependencies)
    .map(named)
    .filter((text) => !text.startsWith("zod ") && !page.replaceAll("`", "").replaceAll(" was ", " ").includes(text));
  expect(missing).toEqual([]);
});

const tool = (name: string, ...properties: readonly string[]) => ({
  name,
  description: null,
  parameters: { type: "object", properties: Object.fromEntries(properties.map((one) => [one, { type: "string" }])) },
});

test("a common prefix ends at the first token that differs", () => {
  expect(commonPrefix([1, 2, 3, 4], [1, 2, 9, 4])).toBe(2);
  expect(commonPrefix([1, 2], [1, 2, 3])).toBe(2);
  expect(commonPrefix([], [1])).toBe(0);
});

test("lines are unchanged wherever a changed one stands, each counted once and in order", () => {
  expect(unchangedLines(["a", "date 1", "b", "c"], ["a", "date 2", "b", "c", "new"])).toEqual([0, 2, 3]);
  expect(unchangedLines(["a", "b", "x", "c"], ["y", "a", "z", "b", "c"])).toEqual([1, 3, 4]);
  expect(unchangedLines(["a", "b"], ["b", "a"])).toHaveLength(1);
  expect(unchangedLines(["a"], ["a", "a"])).toEqual([0]);
  expect(unchangedLines([], ["a"])).toEqual([]);
});

test("the file is written by a tool made for it, with its arguments in the order of its schema, else by a shell", () => {
  const shell = tool("bash", "command");
  expect(JSON.stringify(writingCall([shell, tool("write_file", "file_path", "content")], "/w/hello.txt"))).toBe(
    '{"name":"write_file","value":{"file_path":"/w/hello.txt","content":"hi"}}',
  );
  expect(JSON.stringify(writingCall([tool("write", "content", "filePath"), shell], "/w/hello.txt")?.value)).toBe(
    '{"content":"hi","filePath":"/w/hello.txt"}',
  );
  expect(writingCall([tool("read_file", "path", "text"), shell], "/w/hello.txt")).toMatchObject({ name: "bash" });
  expect(writingCall([tool("todo", "list")], "/w/hello.txt")).toBeNull();
});

test("the played model calls once and then is done; who did not ask for the file gets a few words", async () => {
  const script = writesTheFile("/w/hello.txt");
  const call = { number: 1, signal: new AbortController().signal, toolCallId: "call_1" };
  const asked = chatRequest(agentPrompt, { tools: [tool("write", "filePath", "content")] });
  expect((await collect(script(asked, call))).end).toMatchObject({ finishReason: "tool-calls" });
  const answered = {
    ...asked,
    messages: [...asked.messages, { role: "tool" as const, toolCallId: "call_1", content: [] }],
  };
  expect((await collect(script(answered, call))).text).toBe("done");
  expect((await collect(script(chatRequest("Name this conversation."), call))).text).toBe("A short note");
});

test("a prefilled answer has the script's words and the engine's counts, and one token was asked for", async () => {
  const engine = scriptedBackend("engine", ["coder"], []);
  const backend = prefilledBackend(engine, says("two words"));
  const context = { requestId: "req_1", callerName: "ann" };
  const { text, end } = await collect(backend.chat(chatRequest("hi"), context, new AbortController().signal));
  expect(text).toBe("two words");
  expect(end.usage).toEqual({ ...someUsage, completionTokens: 2 });
  expect(engine.asked[0]?.maxTokens).toBe(1);
  expect(backend.takeComputed()).toHaveLength(1);
  expect(backend.takeComputed()).toEqual([]);
});
