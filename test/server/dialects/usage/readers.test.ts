/** Usage as each provider writes it, and what becomes of it. */
import { describe, expect, test } from "vitest";
import type { CallTraits } from "../../../../server/dialects/called.ts";
import { readAnthropicFrame, readAnthropicUsage } from "../../../../server/dialects/usage/anthropic.ts";
import { readGeminiFrame, readGeminiUsage } from "../../../../server/dialects/usage/gemini.ts";
import { readOllamaUsage } from "../../../../server/dialects/usage/ollama.ts";
import { readOpenaiChatFrame, readOpenaiChatUsage } from "../../../../server/dialects/usage/openai-chat.ts";
import {
  readOpenaiResponsesFrame,
  readOpenaiResponsesUsage,
} from "../../../../server/dialects/usage/openai-responses.ts";
import { nanosOfUsd } from "../../../../server/dialects/usage/reported-cost.ts";
import { noUpstreamUsage } from "../../../../server/dialects/usage/upstream-usage.ts";
import type { UpstreamUsage } from "../../../../server/domain/upstream-usage.ts";
import { seeded } from "../../../support/random.ts";

/** Counts in one line: prompt, cached, written 5m, written 1h, completion, reasoning. */
function counts({ usage }: UpstreamUsage): number[] {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens } = usage;
  const written = [usage.cacheWrite5mTokens ?? 0, usage.cacheWrite1hTokens ?? 0];
  return [promptTokens, cachedTokens, ...written, completionTokens, reasoningTokens];
}

describe("OpenAI chat", () => {
  test.each<[string, object, number[]]>([
    [
      "OpenAI",
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 20, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 0 },
      },
      [100, 60, 20, 0, 50, 30],
    ],
    [
      "DeepSeek",
      {
        prompt_tokens: 339,
        completion_tokens: 83,
        total_tokens: 422,
        prompt_tokens_details: { cached_tokens: 320 },
        completion_tokens_details: { reasoning_tokens: 39 },
        prompt_cache_hit_tokens: 320,
        prompt_cache_miss_tokens: 19,
      },
      [339, 320, 0, 0, 83, 39],
    ],
    [
      "DeepSeek without the sum",
      { prompt_cache_hit_tokens: 320, prompt_cache_miss_tokens: 19 },
      [339, 320, 0, 0, 0, 0],
    ],
    ["cached without details", { prompt_tokens: 50, completion_tokens: 1, cached_tokens: 40 }, [50, 40, 0, 0, 1, 0]],
    [
      "thinking beside the completion, as the total says",
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 115,
        completion_tokens_details: { reasoning_tokens: 100 },
      },
      [10, 0, 0, 0, 105, 100],
    ],
    [
      "details that are null",
      { prompt_tokens: 7, completion_tokens: 3, prompt_tokens_details: null },
      [7, 0, 0, 0, 3, 0],
    ],
  ])("%s", (_who, usage, expected) => {
    const read = readOpenaiChatUsage(usage, {});
    expect(counts(read)).toEqual(expected);
    expect(read).toMatchObject({ flags: [], raw: usage, reported: null, serviceTier: "standard", toolCalls: {} });
  });

  test("Groq's last chunk has it twice, once under x_groq, and either will do", () => {
    const usage = { queue_time: 0.04, prompt_tokens: 210, prompt_time: 0.01, completion_tokens: 15, total_tokens: 225 };
    for (const chunk of [
      { usage, x_groq: { usage } },
      { x_groq: { id: "r", usage } },
      { usage: null, x_groq: { usage } },
    ]) {
      const read = readOpenaiChatFrame(chunk, {});
      expect(counts(read)).toEqual([210, 0, 0, 0, 15, 0]);
      expect(read.flags).toEqual([]);
    }
  });

  test("a stream's null usage changes nothing, and the tier comes from beside it", () => {
    const first = readOpenaiChatFrame({ choices: [], usage: null, service_tier: "flex" }, {});
    expect(first).toMatchObject({ flags: ["usage_absent"], serviceTier: "flex" });
    const last = readOpenaiChatFrame({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } }, {}, first);
    expect(last).toMatchObject({ flags: [], serviceTier: "flex" });
  });

  test("usage that comes again replaces what was known, but never by nothing", () => {
    const early = readOpenaiChatUsage(
      { prompt_tokens: 10, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 8 } },
      {},
    );
    const later = readOpenaiChatUsage({ prompt_tokens: 10, completion_tokens: 9 }, {}, early);
    expect(counts(later)).toEqual([10, 8, 0, 0, 9, 0]);
    expect(later.flags).toEqual(["usage_repeated"]);
    const zeros = readOpenaiChatUsage({ prompt_tokens: 0, completion_tokens: 0 }, {}, later);
    expect(counts(zeros)).toEqual([10, 8, 0, 0, 9, 0]);
    const nonsense = readOpenaiChatUsage({ prompt_tokens: -5, completion_tokens: "many" }, {}, zeros);
    expect(counts(nonsense)).toEqual([10, 8, 0, 0, 9, 0]);
    expect(nonsense.flags).toContain("absurd_figure");
  });

  const reads = (usage: object, reportedCost?: "cost" | "estimated_cost") =>
    readOpenaiChatUsage({ prompt_tokens: 1, completion_tokens: 1, ...usage }, reportedCost ? { reportedCost } : {})
      .reported;

  test("what it cost is read from providers that say it, and from nobody else", () => {
    expect(reads({ cost: 0.0025 }, "cost")).toEqual({ nanos: 2_500_000, free: false });
    expect(reads({ cost: 0.0025 })).toBeNull();
    expect(reads({ estimated_cost: 2.68e-5 }, "estimated_cost")).toEqual({ nanos: 26_800, free: false });
    expect(reads({ cost: 0, is_byok: true }, "cost")).toEqual({ nanos: 0, free: true });
    expect(reads({ cost: 0, is_byok: false }, "cost")).toEqual({ nanos: 0, free: false });
    expect(reads({ cost: { input_cost: 0.001, total_cost: 0.006 } }, "cost")).toEqual({
      nanos: 6_000_000,
      free: false,
    });
    expect(reads({ cost: { total_cost: 0.006, currency: "EUR" } }, "cost")).toBeNull();
    expect(reads({ cost: 1e-10 }, "cost")).toEqual({ nanos: 0, free: true });
  });
});

describe("OpenAI Responses", () => {
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 40, cache_write_tokens: 10 },
    output_tokens: 30,
    output_tokens_details: { reasoning_tokens: 20 },
    total_tokens: 130,
  };

  test("input includes cached, output includes reasoning", () => {
    expect(counts(readOpenaiResponsesUsage(usage, {}))).toEqual([100, 40, 10, 0, 30, 20]);
  });

  test("the last event of a stream and the response itself say the same", () => {
    const search = { type: "web_search_call", id: "ws_1" };
    const response = { object: "response", usage, service_tier: "priority", output: [search, { type: "message" }] };
    const created = { type: "response.created", response: { object: "response", usage: null, service_tier: "auto" } };
    const begun = readOpenaiResponsesFrame(created, {});
    const streamed = readOpenaiResponsesFrame({ type: "response.completed", response }, {}, begun);
    expect(streamed).toEqual(readOpenaiResponsesFrame(response, {}));
    expect(streamed).toMatchObject({ serviceTier: "priority", toolCalls: { web_search: 1 }, flags: [] });
  });

  test("Perplexity says its cost in parts and its tools by name", () => {
    const said = { ...usage, cost: { total_cost: 0.0123 }, tool_calls_details: { web_search: { invocation: 2 } } };
    const read = readOpenaiResponsesUsage(said, { reportedCost: "cost" });
    expect(read).toMatchObject({ reported: { nanos: 12_300_000, free: false }, toolCalls: { web_search: 2 } });
  });
});

describe("Anthropic Messages", () => {
  test("the prompt is what is fresh, read and written together", () => {
    const usage = {
      input_tokens: 10,
      cache_read_input_tokens: 200,
      cache_creation_input_tokens: 70,
      cache_creation: { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 30 },
      output_tokens: 5,
      service_tier: "batch",
      server_tool_use: { web_search_requests: 3, web_fetch_requests: 0 },
    };
    const read = readAnthropicUsage(usage, {});
    expect(counts(read)).toEqual([280, 200, 40, 30, 5, 0]);
    expect(read).toMatchObject({ serviceTier: "batch", toolCalls: { web_search: 3 }, flags: [] });
  });

  test("a stream's deltas are cumulative, and keep the lifetimes that only its start tells", () => {
    const start = {
      type: "message_start",
      message: {
        usage: {
          input_tokens: 3,
          cache_creation_input_tokens: 50,
          cache_read_input_tokens: 0,
          cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 50 },
          output_tokens: 1,
        },
      },
    };
    const delta = {
      type: "message_delta",
      usage: { input_tokens: 3, cache_creation_input_tokens: 50, cache_read_input_tokens: 0, output_tokens: 90 },
    };
    const read = readAnthropicFrame(delta, {}, readAnthropicFrame({ type: "ping" }, {}, readAnthropicFrame(start, {})));
    expect(counts(read)).toEqual([53, 0, 0, 50, 90, 0]);
    expect(read.flags).toEqual([]);
  });

  test("writes that exceed their sum are cut to it, flagged", () => {
    const usage = {
      input_tokens: 30,
      cache_creation_input_tokens: 10,
      cache_creation: { ephemeral_1h_input_tokens: 20 },
    };
    const read = readAnthropicUsage(usage, {});
    expect(counts(read)).toEqual([40, 0, 0, 10, 0, 0]);
    expect(read.flags).toEqual(["cached_clamped"]);
  });

  test("writes without their sum are added up", () => {
    const usage = { input_tokens: 1, cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 5 } };
    expect(counts(readAnthropicUsage(usage, {}))).toEqual([10, 0, 4, 5, 0, 0]);
  });
});

describe("Gemini", () => {
  test("thoughts and the prompts of its tools are billed beside what it counts first", () => {
    const usageMetadata = {
      promptTokenCount: 100,
      cachedContentTokenCount: 60,
      candidatesTokenCount: 20,
      thoughtsTokenCount: 30,
      toolUsePromptTokenCount: 7,
      totalTokenCount: 157,
      promptTokensDetails: [
        { modality: "TEXT", tokenCount: 80 },
        { modality: "AUDIO", tokenCount: 20 },
      ],
      cacheTokensDetails: [{ modality: "AUDIO", tokenCount: 5 }],
    };
    const read = readGeminiFrame({ candidates: [], usageMetadata }, {});
    expect(counts(read)).toEqual([107, 60, 0, 0, 50, 30]);
    expect(read.audio).toEqual({ promptTokens: 20, cachedTokens: 5, completionTokens: 0 });
    expect(read.flags).toEqual([]);
  });

  test("the last chunk wins, without a word", () => {
    const first = readGeminiUsage({ promptTokenCount: 9, totalTokenCount: 9 }, {});
    const last = readGeminiUsage({ promptTokenCount: 9, candidatesTokenCount: 23, thoughtsTokenCount: 185 }, {}, first);
    expect(counts(last)).toEqual([9, 0, 0, 0, 208, 185]);
    expect(last.flags).toEqual([]);
  });
});

test("Ollama: the last line has it", () => {
  const first = readOllamaUsage({ model: "m", message: { content: "a" }, done: false }, {});
  const last = readOllamaUsage(
    { done: true, prompt_eval_count: 26, prompt_eval_cached_count: 20, eval_count: 298 },
    {},
    first,
  );
  expect(counts(last)).toEqual([26, 20, 0, 0, 298, 0]);
  expect(last.flags).toEqual([]);
});

describe("what cannot be", () => {
  const readers = { readOpenaiChatUsage, readOpenaiResponsesUsage, readAnthropicUsage, readGeminiUsage };
  const fields: Readonly<Record<string, readonly [prompt: string, completion: string]>> = {
    readOpenaiChatUsage: ["prompt_tokens", "completion_tokens"],
    readOpenaiResponsesUsage: ["input_tokens", "output_tokens"],
    readAnthropicUsage: ["input_tokens", "output_tokens"],
    readGeminiUsage: ["promptTokenCount", "candidatesTokenCount"],
  };

  for (const [name, read] of Object.entries(readers)) {
    const [prompt = "", completion = ""] = fields[name] ?? [];

    test.each([-1, 0.5, 1e300, 2 ** 41, Number.NaN, "12", true, [], {}])(
      `${name}: %j is taken as 0, flagged`,
      (value) => {
        const used = read({ [prompt]: value, [completion]: 5 }, {});
        expect(used.usage).toMatchObject({ promptTokens: 0, completionTokens: 5 });
        expect(used.flags).toEqual(["absurd_figure"]);
      },
    );

    test(`${name}: no usage, usage that is none, and usage of zeros are told apart`, () => {
      expect(read(undefined, {})).toEqual(noUpstreamUsage);
      expect(read(null, {})).toEqual(noUpstreamUsage);
      expect(read({}, {}).flags).toEqual(["usage_absent"]);
      expect(read("12", {}).flags).toEqual(["usage_absent", "absurd_figure"]);
      expect(read({ [prompt]: 0, [completion]: 0 }, {}).flags).toEqual(["usage_all_zero"]);
      expect(read({ [prompt]: -1, [completion]: 0 }, {}).flags).toEqual(["absurd_figure"]);
    });
  }

  test("parts larger than their whole are cut, flagged", () => {
    const used = readOpenaiChatUsage(
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        prompt_tokens_details: { cached_tokens: 8, cache_write_tokens: 8, audio_tokens: 11 },
        completion_tokens_details: { reasoning_tokens: 6 },
      },
      {},
    );
    expect(counts(used)).toEqual([10, 8, 2, 0, 5, 5]);
    expect(used.flags).toEqual(["cached_clamped", "audio_clamped", "reasoning_clamped"]);
  });

  test("whatever comes, in whatever order: no throw, no negative, no part above its whole", () => {
    const random = seeded(11);
    const values = [
      0,
      1,
      7,
      1e3,
      2 ** 40,
      -3,
      0.5,
      1e300,
      null,
      "x",
      [],
      {},
      true,
      Number.NaN,
      [{ modality: "AUDIO", tokenCount: 9 }],
    ];
    const names = [
      ...["prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "prompt_cache_hit_tokens", "cost"],
      ...["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "__proto__"],
      ...[
        "promptTokenCount",
        "candidatesTokenCount",
        "cachedContentTokenCount",
        "thoughtsTokenCount",
        "promptTokensDetails",
      ],
    ];
    const inner = [
      "cached_tokens",
      "cache_write_tokens",
      "audio_tokens",
      "reasoning_tokens",
      "ephemeral_1h_input_tokens",
    ];
    const holders = [
      "prompt_tokens_details",
      "completion_tokens_details",
      "input_tokens_details",
      "cache_creation",
      "server_tool_use",
    ];
    const some = (keys: readonly string[]) =>
      Object.fromEntries(keys.filter(() => random.chance(0.4)).map((key) => [key, random.pick(values)]));
    const traits: CallTraits = { reportedCost: "cost" };
    for (const read of Object.values(readers)) {
      let used: UpstreamUsage | undefined;
      for (let round = 0; round < 600; round += 1) {
        const usage = {
          ...some(names),
          ...Object.fromEntries(holders.filter(() => random.chance(0.5)).map((key) => [key, some(inner)])),
        };
        used = read(random.chance(0.1) ? random.pick(values) : usage, traits, random.chance(0.7) ? used : undefined);
        const [prompt = 0, cached = 0, write5m = 0, write1h = 0, completion = 0, reasoning = 0] = counts(used);
        expect(
          [prompt, cached, write5m, write1h, completion, reasoning].every(
            (count) => Number.isSafeInteger(count) && count >= 0,
          ),
        ).toBe(true);
        expect(cached + write5m + write1h).toBeLessThanOrEqual(prompt);
        expect(reasoning).toBeLessThanOrEqual(completion);
        expect(used.audio.promptTokens).toBeLessThanOrEqual(prompt);
        expect(used.audio.cachedTokens).toBeLessThanOrEqual(Math.min(cached, used.audio.promptTokens));
      }
    }
    expect(({} as Record<string, unknown>).cached_tokens).toBeUndefined();
  });
});

test.each([
  [2.68e-5, 26_800],
  [0.0000139, 13_900],
  [0.1 + 0.2, 300_000_000],
  [5e-10, 1],
  [4.9e-10, 0],
  [1.5e-9, 2],
  [123456.789, 123_456_789_000_000],
  [0, 0],
])("%d USD are %i nanos", (usd, nanos) => {
  expect(nanosOfUsd(usd)).toBe(nanos);
});
