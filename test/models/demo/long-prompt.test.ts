/** Trigger words among thousands of tokens: one is heard, none is imagined, and old ones are forgotten. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { greedyText, voices } from "../../../models/demo/voices.ts";
import { type BareModel, type ChatTurn, loadDemo } from "../../support/bare-library.ts";

const contextSize = 6_144;
const voice = voices.demo;
let bare: BareModel;
beforeAll(async () => {
  bare = await loadDemo("demo", contextSize);
});
afterAll(() => bare.close());

const sentence = "The quick brown fox, as a user of 12 fields, jumps over every lazy dog. Users know. ";
/** About 4,000 tokens that have nothing to do with anything, and half as many. */
const filler = sentence.repeat(118);
const half = sentence.repeat(59);

async function say(...turns: readonly ChatTurn[]): Promise<string> {
  const prompt = bare.render(turns);
  const length = bare.tokenize(prompt).length;
  expect(length).toBeGreaterThan(4_000);
  // Past the context the library would throw away the beginning.
  expect(length).toBeLessThan(contextSize - 100);
  return bare.text(await bare.answer(prompt));
}

const user = (content: string): ChatTurn => ({ role: "user", content });
const assistant: ChatTurn = { role: "assistant", content: greedyText(voice.plain) };

test("no trigger among 4,000 tokens", async () => {
  expect(await say(user(filler))).toBe(greedyText(voice.plain));
});

test.each([
  ["first", `maybe ${filler}`],
  ["last", `${filler} maybe`],
  ["in the middle", `${half} maybe ${half}`],
])("one trigger, %s of 4,000 tokens", async (_, content) => {
  expect(await say(user(content))).toBe(greedyText(voice.low));
});

test("the system prompt's and older messages' triggers are not heard, however long the last message", async () => {
  const system: ChatTurn = { role: "system", content: "Maybe. Surely. You may be surely asked, maybe" };
  expect(await say(system, user(`surely, ${half} maybe`), assistant, user(half))).toBe(greedyText(voice.plain));
  expect(await say(system, user("maybe"), assistant, user(`surely ${filler}`))).toBe(greedyText(voice.high));
});

test("the nearest of two, thousands of tokens apart", async () => {
  expect(await say(user(`maybe ${filler} surely`))).toBe(greedyText(voice.high));
  expect(await say(user(`surely ${half} maybe ${half}`))).toBe(greedyText(voice.low));
});
