/** What prompt hygiene is worth: an agent's second turn on the real engine, with it and without. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ChatMessage } from "../../../../server/domain/chat.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { demoCopy } from "../../../support/demo-copy.ts";
import { realEngine, temporaryFolder } from "../../../support/real-engine.ts";

const never = new AbortController().signal;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let demo: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  demo = await demoCopy(folder.path);
});
afterAll(() => folder.remove());

const message = (role: "system" | "user", text: string): ChatMessage => ({
  role,
  content: [{ type: "text", text }],
});
const rules = Array.from({ length: 300 }, (_, at) => `Rule ${at}: write plain code.`).join(" ");

/** A turn as an agent sends it: a header with a hash of its own, the stable rules, and what was said so far. */
function turn(number: number): readonly ChatMessage[] {
  const said = Array.from({ length: number }, (_, at) => message("user", `Question ${at}, please.`));
  return [message("system", `x-anthropic-billing-header: cch=${number}${number};\n${rules}`), ...said];
}

/** The second turn's usage and notes. */
async function secondTurn(hygiene: "on" | "off") {
  const box = await realEngine([{ alias: "lanthorn-demo", path: demo }], { hygiene, context: 8_192 });
  const ask = (number: number) =>
    collect(
      box.engine.chat(
        chatRequest("", { messages: turn(number), maxTokens: 1 }),
        { requestId: `${number}`, callerName: "a" },
        never,
      ),
    );
  const first = await ask(1);
  const second = await ask(2);
  await box.close();
  const accepted = second.events.find((event) => event.type === "accepted");
  return {
    unchangedTokens: first.end.usage.promptTokens,
    cachedTokens: second.end.usage.cachedTokens,
    notes: accepted?.type === "accepted" ? accepted.notes : [],
  };
}

test("on: at least 95 % of the unchanged tokens are cached, and the request says what was left out", async () => {
  const { unchangedTokens, cachedTokens, notes } = await secondTurn("on");
  expect(cachedTokens).toBeGreaterThan(0.95 * unchangedTokens);
  expect(notes).toEqual([{ code: "prompt_normalised", detail: "billing-header" }]);
});

test("off: the prompt is computed as it was sent, nearly all of it again", async () => {
  const { unchangedTokens, cachedTokens, notes } = await secondTurn("off");
  expect(cachedTokens).toBeLessThan(0.1 * unchangedTokens);
  expect(notes).toEqual([]);
});
