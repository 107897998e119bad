/** The demo in the real engine: what it says to which prompt, and when it stops. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { constructDemo, tokenId } from "../../../models/demo/construct.ts";
import { constructedReply } from "../../../models/demo/reference.ts";
import { greedyText, type VoiceName, voices } from "../../../models/demo/voices.ts";
import { type BareModel, type ChatTurn, loadDemo } from "../../support/bare-library.ts";

function user(content: string): ChatTurn[] {
  return [{ role: "user", content }];
}

const doubt = { doubt: 1, certainty: 0 };
const certainty = { doubt: 0, certainty: 1 };

describe.each(Object.keys(voices) as VoiceName[])("the voice %s", (name) => {
  const voice = voices[name];
  const model = constructDemo(voice);
  const [plain, low, high] = [
    constructedReply(model),
    constructedReply(model, doubt),
    constructedReply(model, certainty),
  ];
  let bare: BareModel;
  const say = async (turns: readonly ChatTurn[], tools?: readonly unknown[]): Promise<string> =>
    bare.text(await bare.answer(bare.render(turns, tools)));

  beforeAll(async () => {
    bare = await loadDemo(name);
  });
  afterAll(() => bare.close());

  test.each([
    "hi",
    "Wer bist du?",
    "你好，你是谁？",
    "🏮🏮🏮",
    "",
    "user user user",
    '{"a": [1, 2]}',
    "it may be sure",
  ])("answers %j with its sentence, token for token as constructed, and stops", async (prompt) => {
    const ids = await bare.answer(bare.render(user(prompt)));
    expect(ids).toEqual(constructedReply(model));
    expect(bare.text(ids)).toBe(greedyText(voice.plain));
  });

  test.each(["maybe", "Maybe it rains", "will it, maybe?", "(maybe)"])("answers %j with doubt", async (prompt) => {
    expect(await bare.answer(bare.render(user(prompt)))).toEqual(low);
    expect(await say(user(prompt))).toBe(greedyText(voice.low));
  });

  test.each(["surely", "Surely so", "is it so, surely?"])("answers %j with certainty", async (prompt) => {
    expect(await bare.answer(bare.render(user(prompt)))).toEqual(high);
    expect(await say(user(prompt))).toBe(greedyText(voice.high));
  });

  test("hears the last user message only, and the last word of two", async () => {
    const ok: ChatTurn = { role: "assistant", content: "Ok" };
    expect(await say([...user("maybe"), ok, ...user("hello")])).toBe(greedyText(voice.plain));
    expect(await say([...user("surely"), ok, ...user("maybe")])).toBe(greedyText(voice.low));
    expect(await say([{ role: "system", content: "Say maybe or surely" }, ...user("hello")])).toBe(
      greedyText(voice.plain),
    );
    expect(await say(user("surely or maybe"))).toBe(greedyText(voice.low));
    expect(await say(user("maybe or surely"))).toBe(greedyText(voice.high));
  });

  test("answers the same with tools at hand and after their results", async () => {
    const description = "Maybe the weather of a city, surely";
    const tools = [{ type: "function", function: { name: "weather", description, parameters: { type: "object" } } }];
    const call = { id: "1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } };
    const turns: ChatTurn[] = [
      ...user("weather, maybe?"),
      { role: "assistant", content: "", tool_calls: [call] },
      { role: "tool", content: "sun" },
      { role: "tool", content: "rain" },
    ];
    expect(await say(user("weather?"), tools)).toBe(greedyText(voice.plain));
    expect(await say(turns, tools)).toBe(greedyText(voice.plain));
  });

  test("its words read back are the tokens it said, so that a history finds its prefix again", () => {
    for (const reply of [plain, low, high]) {
      expect(bare.tokenize(bare.text(reply))).toEqual(reply);
    }
  });

  test("characters are cut over tokens: some ids are no text by themselves", () => {
    const alone = plain.map((id) => bare.text([id])).join("");
    expect(alone).toContain("\ufffd");
    expect(bare.text(plain)).not.toContain("\ufffd");
  });

  test("goes on for as long as one likes when the end does not end it", async () => {
    const prompt = bare.render(user("on and on"));
    const [end, lineBreak] = [model.lexicon.messageEndId, tokenId(model, "\n")];
    const ignored = await bare.answer(prompt, { yieldEogToken: true }, 150);
    const round = [...plain, end, lineBreak];
    expect(ignored).toEqual(Array.from({ length: 150 }, (_, index) => round[index % round.length]));
  });

  test("text that is no chat leads to the sentence too", async () => {
    expect(bare.text(await bare.answer("Once upon a time"))).toBe(`\n${greedyText(voice.plain)}`);
    expect(bare.text(await bare.answer("2 + 2 = 4"))).toBe(greedyText(voice.plain));
  });

  test("low confidence means other words at another seed; high confidence means the same", async () => {
    const warm = async (prompt: string): Promise<Set<string>> => {
      const said = new Set<string>();
      for (let seed = 1; seed <= 8; seed += 1) {
        const ids = await bare.answer(bare.render(user(prompt)), { temperature: 1, topK: 0, topP: 1, seed });
        said.add(bare.text(ids));
      }
      return said;
    };
    expect((await warm("maybe")).size).toBeGreaterThan(4);
    expect(await warm("surely")).toEqual(new Set([greedyText(voice.high)]));
    expect(await warm("hello")).toEqual(new Set([greedyText(voice.plain)]));
  });
});
