/** Streams written from the documented formats, through a real upstream, every called decoder and every served encoder. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { dialects } from "../../../server/dialects/index.ts";
import { type ReplayReport, replay } from "../../support/replay/replay.ts";

const folder = fileURLToPath(new URL("../../fixtures/upstream", import.meta.url));
const names = Object.keys(JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")));

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
