/** Trigger words among thousands of tokens: one is heard, none is imagined, and old ones are forgotten. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { greedyText, voices } from "../../../models/demo/voices.ts";
import { type BareModel, type ChatTurn, loadDemo } from "../../support/bare-library.ts";

const voice = voices.demo;
let bare: BareModel;
beforeAll(async () => {
  bare = await loadDemo("demo", 10_240);
});
afterAll(() => bare.close());

/** About 4,000 tokens that have nothing to do with anything, two "user"s among them. */
const filler = "The quick brown fox, as a user of 12 fields, jumps over every lazy dog. Users know. ".repeat(170);

async function say(...turns: readonly ChatTurn[]): Promise<string> {
  const prompt = bare.render(turns);
  expect(bare.tokenize(prompt).length).toBeGreaterThan(4_000);
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
  ["in the middle", `${filler.slice(0, filler.length / 2)} maybe ${filler.slice(filler.length / 2)}`],
])("one trigger, %s of 4,000 tokens", async (_, content) => {
  expect(await say(user(content))).toBe(greedyText(voice.low));
});

test("the system prompt's and older messages' triggers are not heard, however long the last message", async () => {
  const system: ChatTurn = { role: "system", content: "Maybe. Surely. You may be surely asked, maybe" };
  expect(await say(system, user(`surely, ${filler} maybe`), assistant, user(filler))).toBe(greedyText(voice.plain));
  expect(await say(system, user("maybe"), assistant, user(`surely ${filler}`))).toBe(greedyText(voice.high));
});

test("the nearest of two, 4,000 tokens apart", async () => {
  expect(await say(user(`maybe ${filler} surely`))).toBe(greedyText(voice.high));
  expect(await say(user(`surely ${filler} maybe ${filler}`))).toBe(greedyText(voice.low));
});
