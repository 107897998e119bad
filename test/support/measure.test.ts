/** The arithmetic of the benches, and what they read from /proc and from a stream. No server and no model. */
import { createServer } from "node:http";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { streamChat, ttftMs } from "../bench/client.ts";
import { parseCpuTicks } from "../bench/machine.ts";
import {
  judge,
  median,
  orderOfRun,
  pairedRatio,
  percentile,
  type RowDefinition,
  spread,
  worstGapMs,
} from "../bench/measure.ts";
import { words } from "../bench/prompts.ts";
import { table } from "../bench/report.ts";
import { traceRequests } from "../bench/trace-shape.ts";

const tokensPerSecond: RowDefinition = { name: "decode", unit: "tok/s", better: "higher", target: 0.97 };

describe("medians and spread", () => {
  test("an odd count has a middle, an even count has the mean of two", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test("a row without samples is a bug, not a zero", () => {
    expect(() => median([])).toThrow(RangeError);
  });

  test("a percentile is one of the values", () => {
    const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect([0.5, 0.95, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([50, 95, 99, 100]);
    expect(percentile([7], 0.5)).toBe(7);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });

  test("spread is the farthest sample, as a share of the median", () => {
    expect(spread([100, 110, 95])).toBeCloseTo(0.1);
    expect(spread([7])).toBe(0);
  });
});

describe("a pair", () => {
  test("a machine that slows down for one pair does not move the ratio", () => {
    // The second pair ran while something else did: both halves lost 60 %.
    expect(pairedRatio([50, 20, 50], [40, 16, 40])).toBeCloseTo(1.25);
  });

  test("unequal counts are refused", () => {
    expect(() => pairedRatio([1, 2], [1])).toThrow(/2 and 1/);
  });

  test("neither side always goes first", () => {
    expect([0, 1, 2, 3].map((run) => orderOfRun(run)[0])).toEqual(["ours", "peer", "ours", "peer"]);
  });
});

describe("a row", () => {
  test("higher is better: the ratio must reach the target", () => {
    expect(judge(tokensPerSecond, [97, 97], [100, 100]).holds).toBe(true);
    expect(judge(tokensPerSecond, [96, 96], [100, 100]).holds).toBe(false);
  });

  test("lower is better: the ratio must stay below it", () => {
    const gap: RowDefinition = { name: "gap", unit: "ms", better: "lower", target: 0.2 };
    expect(judge(gap, [150], [1000]).holds).toBe(true);
    expect(judge(gap, [250], [1000]).holds).toBe(false);
  });

  test("without a peer the target bounds our own figure", () => {
    const start: RowDefinition = { name: "start", unit: "s", better: "lower", target: 2 };
    expect(judge(start, [1.5, 1.7, 1.6], [])).toEqual({
      name: "start",
      unit: "s",
      better: "lower",
      ours: 1.6,
      peer: null,
      ratio: null,
      target: 2,
      holds: true,
      samples: { ours: [1.5, 1.7, 1.6], peer: [] },
    });
  });

  test("without a target it is reported and neither holds nor fails", () => {
    expect(judge({ ...tokensPerSecond, target: null }, [1], [2]).holds).toBeNull();
  });

  test("the table shows a missed target loudly", () => {
    const text = table([judge(tokensPerSecond, [50, 52], [100, 100]), judge(tokensPerSecond, [100], [100])]);
    const lines = text.split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/decode +tok\/s +51\.0 +100 +0\.51 +>= 0\.97 +NO +2 % \/ 0 %/);
    expect(lines[2]).toContain("yes");
  });
});

test("the worst gap counts a gap that began before the moment and ended after it", () => {
  expect(worstGapMs([0, 10, 20, 500, 510], 100)).toBe(480);
  expect(worstGapMs([0, 400, 410, 420], 405)).toBe(10);
  expect(worstGapMs([5], 0)).toBe(0);
});

test("stolen time is busy, waiting for the disk is not", () => {
  expect(parseCpuTicks("cpu  10 1 5 80 3 1 1 2 0 0\ncpu0 …\n")).toEqual({ busy: 20, total: 103 });
});

test("the same seed gives the same words, another seed other words from the start", () => {
  expect(words(50, 7)).toBe(words(50, 7));
  expect(words(50, 7).split(" ")).toHaveLength(50);
  expect(words(3, 7)).not.toBe(words(3, 8));
});

describe("the client", () => {
  const frame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
  const content = (text: string): string => frame({ choices: [{ delta: { content: text } }] });
  let reply = "";
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      // Cut in the middle of a line: frames do not end where reads end.
      response.write(reply.slice(0, 25));
      setImmediate(() => response.end(reply.slice(25)));
    });
  });
  let url = "";
  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  });
  afterAll(() => server.close());
  const ask = () => streamChat({ url, model: "m", messages: [{ role: "user", content: "hi" }], maxTokens: 4 });

  test("counts by usage, times by content, and skips the role, empty pieces and comments", async () => {
    reply = [
      frame({ choices: [{ delta: { role: "assistant", content: "" } }] }),
      ": keep-alive\n\n",
      content("Hel"),
      content("lo"),
      frame({ choices: [{ delta: {}, finish_reason: "length" }] }),
      frame({
        choices: [],
        usage: { prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 5 } },
      }),
      "data: [DONE]\n\n",
    ].join("");
    const result = await ask();
    expect(result).toMatchObject({
      text: "Hello",
      promptTokens: 9,
      cachedTokens: 5,
      completionTokens: 4,
      finishReason: "length",
    });
    expect(result.arrivalsMs).toHaveLength(2);
    expect(ttftMs(result)).toBeGreaterThan(0);
  });

  test("an error frame fails the sample", async () => {
    reply = content("Hel") + frame({ error: { message: "the worker died" } });
    await expect(ask()).rejects.toThrow("the worker died");
  });

  test("a stream without usage fails the sample: its tokens cannot be counted", async () => {
    reply = `${content("Hello")}data: [DONE]\n\n`;
    await expect(ask()).rejects.toThrow("without usage");
  });
});

describe("the shape of a trace", () => {
  const seeds = Array.from({ length: 30 }, (_, at) => at + 1);
  const requests = seeds.flatMap((seed) => traceRequests(600_000, 1, seed));

  test("has the published rate, means and medians", () => {
    expect(Math.abs(requests.length / (seeds.length * 600) / 2.57 - 1)).toBeLessThan(0.1);
    const prompts = requests.map(({ promptTokens }) => promptTokens);
    const answers = requests.map(({ answerTokens }) => answerTokens);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean(prompts) / 2_048 - 1)).toBeLessThan(0.03);
    expect(Math.abs(median(prompts) / 1_469 - 1)).toBeLessThan(0.05);
    expect(Math.abs(mean(answers) / 28 - 1)).toBeLessThan(0.1);
    expect(median(answers)).toBe(13);
  });

  test("is the same for the same seed, and in order", () => {
    expect(traceRequests(60_000, 1, 7)).toEqual(traceRequests(60_000, 1, 7));
    const times = traceRequests(60_000, 1, 7).map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((left, right) => left - right));
  });
});
