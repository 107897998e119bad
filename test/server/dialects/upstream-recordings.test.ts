/** Streams written from the documented formats, through a real upstream, every called decoder and every served encoder. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { RandomSource } from "../../../models/random/numbers.ts";
import type { CallFacts } from "../../../server/dialects/called.ts";
import { calledDialects, dialects } from "../../../server/dialects/index.ts";
import { createFrameReader } from "../../../server/dialects/sse-frames.ts";
import { type ChatEvent, isEnd } from "../../../server/domain/chat.ts";
import { chatRequest } from "../../support/chat-request.ts";
import { diceOf, mutatedBytes } from "../../support/mutate.ts";
import { framed, recordingsIn } from "../../support/replay/recordings.ts";
import { type ReplayReport, replay } from "../../support/replay/replay.ts";

const folder = fileURLToPath(new URL("../../fixtures/upstream", import.meta.url));
const names = Object.keys(JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")));

const facts: CallFacts = { model: "up", maxTokens: null, traits: {} };

interface Expected {
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly [name: string, args: object][];
  /** Prompt, of it cached, completion, of it reasoning. */
  readonly usage: readonly [number, number, number, number];
  readonly finish: string;
}

const router: Expected = { text: "The answer is 7.", usage: [9, 0, 70, 64], finish: "stop" };
const twoCalls: Expected = {
  calls: [
    ["list_lamps", {}],
    ["set_lamp", { id: 4, on: true }],
  ],
  usage: [210, 0, 15, 0],
  finish: "tool-calls",
};
const table: Readonly<Record<string, Expected>> = {
  "chat-text": { text: 'Three lamps: 🏮🏮🏮\n\n- Grüße\t"quoted" \\ end', usage: [21, 8, 14, 0], finish: "stop" },
  "chat-router": router,
  "chat-thinking-call": {
    reasoning: "The user wants  the weather.",
    calls: [["weather", { city: "Ulm" }]],
    usage: [339, 320, 83, 39],
    finish: "tool-calls",
  },
  "chat-two-calls": twoCalls,
  "chat-length": { text: "Once upon a", reasoning: "Hm. ", usage: [5, 0, 6, 0], finish: "length" },
  "google-text": {
    ...{ text: "There are **3** lamps 🏮.", reasoning: "Two ideas. " },
    ...{ usage: [9, 4, 91, 80], finish: "stop" },
  },
  "google-calls": {
    calls: [
      ["weather", { city: "Ulm" }],
      ["list_lamps", {}],
    ],
    usage: [32, 0, 20, 0],
    finish: "tool-calls",
  },
  "google-max": { text: "Once upon", usage: [6, 0, 3, 0], finish: "length" },
  "chat-range-1": router,
  "chat-range-2": twoCalls,
  "responses-text": { text: 'Three lamps: 🏮🏮🏮\n\n- Grüße\t"quoted" \\ end', usage: [21, 8, 14, 0], finish: "stop" },
  "responses-thinking-calls": {
    reasoning: "**Looking** for a lamp.\n\nThen the weather.",
    calls: [
      ["weather", { city: "Ulm" }],
      ["list_lamps", {}],
    ],
    usage: [339, 320, 83, 39],
    finish: "tool-calls",
  },
  "responses-late-arguments": {
    ...{ text: "I'll look.", reasoning: "The user wants it.", calls: [["weather", { city: "Ulm" }]] },
    ...{ usage: [182, 0, 61, 0], finish: "tool-calls" },
  },
  "responses-length": { text: "Once upon a", usage: [5, 0, 6, 0], finish: "length" },
};

let report: ReplayReport;
beforeAll(async () => {
  report = await replay(folder);
});

describe("S-24 recordings, whole and cut, through every served dialect", () => {
  test("the table has every case", () => {
    expect(Object.keys(table)).toEqual(names);
  });

  test.each(names)("%s says what the table says, however its bytes came", (name) => {
    const found = report.cases.find((one) => one.case === name);
    const { text = "", reasoning = "", calls = [], usage, finish } = table[name] as Expected;
    const [promptTokens, cachedTokens, completionTokens, reasoningTokens] = usage;
    expect(found).toMatchObject({
      ...{ text, reasoning, finish, end: "finished" },
      toolCalls: calls.map(([called, args]) => ({ name: called, arguments: args })),
      usage: { promptTokens, cachedTokens, completionTokens, reasoningTokens },
      served: Object.keys(dialects),
      differences: [],
    });
    expect(found?.ways).toEqual(expect.arrayContaining(["slice=1", "slice=3", "crlf", "comments", "nodone"]));
  });

  test("S-26 bytes that were changed anywhere end once, and never throw", () => {
    const dice = diceOf(new RandomSource(20_261_126));
    const ends = { finished: 0, failed: 0 };
    for (const recording of recordingsIn(folder)) {
      const bytes = framed(recording, {});
      for (let round = 0; round < 60; round += 1) {
        const decoder = calledDialects[recording.dialect].decoder(chatRequest("hi"), facts);
        const events: ChatEvent[] = [];
        const reader = createFrameReader((frame) => events.push(...decoder.frame(frame)));
        reader.push(mutatedBytes(bytes, dice));
        reader.end();
        events.push(...decoder.ended());
        const own = events.filter(isEnd);
        expect(own).toHaveLength(1);
        expect(events.at(-1)).toBe(own[0]);
        if (own[0]?.type === "finished") ends.finished += 1;
        else ends.failed += 1;
      }
    }
    // Neither is the rule: most changes hit a text, others the frame of it.
    expect(Math.min(ends.finished, ends.failed)).toBeGreaterThan(50);
  });

  test("other inputs give other figures, and what nobody could read is told", async () => {
    const other = mkdtempSync(join(tmpdir(), "lanthorn-replay-"));
    try {
      copyFileSync(join(folder, "google-max.chunks.txt"), join(other, "a.txt"));
      const text = readFileSync(join(folder, "google-max.chunks.txt"), "utf8");
      writeFileSync(
        join(other, "b.txt"),
        text.replace("Once upon", "A time").replace('"promptTokenCount":6', '"promptTokenCount":7'),
      );
      writeFileSync(join(other, "c.txt"), '{"candidates":[{"content":{"parts":[{"text":"x"}]}}]}\n');
      const file = (letter: string) => ({ wire: "google", file: `${letter}.txt` });
      writeFileSync(join(other, "cases.json"), JSON.stringify({ a: file("a"), b: file("b"), c: file("c") }));
      const { cases } = await replay(other);
      expect(cases.map((one) => [one.text, one.usage.promptTokens, one.end])).toEqual([
        ["Once upon", 6, "finished"],
        ["A time", 7, "finished"],
        ["x", 0, "failed: upstream_cut"],
      ]);
    } finally {
      rmSync(other, { recursive: true });
    }
  });
});
