/** S-33: mutated bodies against the decoders. Whatever comes in is a request or a refusal that says where, soon. */
import { RandomSource } from "../../models/random/numbers.ts";
import { Failure } from "../../server/domain/failure.ts";
import { parseJson } from "../../server/http/json-bytes.ts";
import { diceOf, mutatedBytes, mutatedJson } from "./mutate.ts";

export interface FuzzResult {
  readonly executions: number;
  readonly accepted: number;
  readonly refused: number;
  readonly longestMs: number;
  /** What broke the promise, with the body that did. */
  readonly broken: readonly string[];
}

const tool = {
  type: "function",
  function: { name: "f", description: "d", parameters: { type: "object", properties: { a: { type: "string" } } } },
};
const call = { id: "c1", type: "function", function: { name: "f", arguments: '{"a":"b"}' } };

export const chatSeeds: readonly object[] = [
  { model: "m", messages: [{ role: "user", content: "hi" }] },
  {
    model: "m",
    messages: [
      { role: "system", content: [{ type: "text", text: "be brief" }] },
      { role: "user", content: "hi", name: "ann" },
      { role: "assistant", content: null, tool_calls: [call], reasoning_content: "hm", refusal: null },
      { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "done" }] },
      { role: "assistant", content: [{ type: "refusal", refusal: "no" }] },
    ],
    tools: [tool, { type: "web_search" }],
    tool_choice: { type: "function", function: { name: "f" } },
    parallel_tool_calls: false,
    stream: true,
    stream_options: { include_usage: true },
  },
  {
    model: "m",
    messages: [{ role: "user", content: "hi" }],
    ...{ temperature: 0.5, top_p: 0.9, top_k: 40, min_p: 0.05, seed: 7, n: 1, max_tokens: 5, max_completion_tokens: 6 },
    ...{ frequency_penalty: 0.1, presence_penalty: -0.1, repeat_penalty: 1.1, logit_bias: { 5: -100, 6: 1.5 } },
    ...{ stop: ["a", "b"], logprobs: false, top_logprobs: 0, ignore_eos: false, cache_prompt: true, user: "u" },
    ...{ response_format: { type: "json_object" }, modalities: ["text"], metadata: { a: "b" }, tool_choice: "none" },
  },
];
export const messagesSeeds: readonly object[] = [
  { model: "m", max_tokens: 5, messages: [{ role: "user", content: "hi" }] },
  {
    ...{ model: "m", max_tokens: 50, stream: true, temperature: 0.5, top_p: 0.9, top_k: 5, stop_sequences: ["a"] },
    system: [{ type: "text", text: "s", cache_control: { type: "ephemeral", ttl: "1h" } }],
    messages: [
      { role: "user", content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "aGk=" } }] },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "c2ln" },
          { type: "redacted_thinking", data: "aGk=" },
          { type: "text", text: "t" },
          { type: "tool_use", id: "t1", name: "f", input: { a: "b" } },
        ],
      },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "t1", is_error: false, content: [{ type: "text", text: "r" }] }],
      },
    ],
    tools: [
      { name: "f", description: "d", input_schema: { type: "object" } },
      { type: "web_search_20250305", name: "w" },
    ],
    tool_choice: { type: "tool", name: "f", disable_parallel_tool_use: true },
    thinking: { type: "enabled", budget_tokens: 20 },
    output_config: { effort: "low", format: { type: "json_schema", schema: { type: "object" } } },
    ...{ metadata: { user_id: "u" }, service_tier: "auto" },
  },
];
export const completionSeeds: readonly object[] = [
  { model: "m", prompt: "hi", suffix: "x", max_tokens: 5, stream: true },
  { model: "m", prompt: [[1, 2], [3]], n: 2, echo: false, logprobs: 2, stop: "x", temperature: 0 },
];

export const embeddingSeeds: readonly object[] = [
  { model: "m", input: ["a", "b"], encoding_format: "base64", dimensions: 8, user: "u" },
  { model: "m", input: [[1, 2], [3]], encoding_format: "float" },
];
export const rerankSeeds: readonly object[] = [
  { model: "m", query: "q", documents: ["a", { text: "b" }], top_n: 1, return_documents: true },
];

const ollamaOptions = {
  ...{ temperature: 0.5, top_p: 0.9, top_k: 40, min_p: 0.05, seed: 7, num_predict: 5, num_ctx: 4096 },
  ...{ stop: ["a"], repeat_penalty: 1.1, presence_penalty: 0, frequency_penalty: 0, num_gpu: 99, mirostat: 0 },
};
export const ollamaChatSeeds: readonly object[] = [
  { model: "m", messages: [{ role: "user", content: "hi" }] },
  {
    model: "m:latest",
    messages: [
      { role: "system", content: "be brief" },
      { role: "user", content: "look", images: ["iVBORw0KGgoAAAAN"] },
      {
        role: "assistant",
        content: "",
        thinking: "hm",
        tool_calls: [{ id: "c1", function: { index: 0, name: "f", arguments: { a: "b" } } }],
      },
      { role: "tool", tool_name: "f", content: "done" },
    ],
    tools: [tool],
    ...{ stream: false, think: "low", keep_alive: "5m", format: { type: "object" }, options: ollamaOptions },
  },
];
export const ollamaGenerateSeeds: readonly object[] = [
  { model: "m", prompt: "hi", system: "be brief", format: "json", think: false, keep_alive: 0, options: ollamaOptions },
  { model: "m", prompt: "def", suffix: "}", raw: true, stream: false, logprobs: true, top_logprobs: 2 },
  { model: "m", prompt: "hi", images: ["/9j/4AAQ"], context: [], template: "" },
];
export const ollamaEmbedSeeds: readonly object[] = [
  { model: "m", input: ["a", "b"], truncate: true, dimensions: 8, keep_alive: -1, options: {} },
  { model: "m", input: "a" },
];

/** What the decoder said of `bytes`: null where the promise holds, else what is wrong. */
function judged(bytes: Buffer, decode: (body: unknown) => object): { accepted: boolean; wrong: string | null } {
  let body: unknown;
  try {
    body = parseJson(bytes);
    const request = decode(body);
    // What was accepted goes to other processes as JSON, and into a row.
    JSON.stringify(request);
    return { accepted: true, wrong: null };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) return { accepted: false, wrong: `threw ${String(thrown)}` };
    if (thrown.code !== "invalid_request") return { accepted: false, wrong: `refused as ${thrown.code}` };
    const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
    if (isObject && (thrown.param === null || thrown.param === ""))
      return { accepted: false, wrong: "refused without a field" };
    if (thrown.message.length > 2000)
      return { accepted: false, wrong: `${thrown.message.length} characters of message` };
    return { accepted: false, wrong: null };
  }
}

export interface FuzzBounds {
  readonly executions: number;
  readonly limitMs: number;
  readonly seed: number;
}

export function fuzzDecoder(
  seeds: readonly object[],
  decode: (body: unknown) => object,
  bounds: FuzzBounds,
): FuzzResult {
  const dice = diceOf(new RandomSource(bounds.seed));
  const endMs = performance.now() + bounds.limitMs;
  const broken: string[] = [];
  let executions = 0;
  let accepted = 0;
  let longestMs = 0;
  while (executions < bounds.executions && performance.now() < endMs && broken.length < 20) {
    executions += 1;
    const value = mutatedJson(dice.pick(seeds), dice);
    const text = Buffer.from(JSON.stringify(value) ?? "");
    const bytes = dice.below(4) === 0 ? mutatedBytes(text, dice) : text;
    const startedMs = performance.now();
    const verdict = judged(bytes, decode);
    longestMs = Math.max(longestMs, performance.now() - startedMs);
    if (verdict.accepted) accepted += 1;
    if (verdict.wrong !== null) broken.push(`${verdict.wrong}: ${bytes.toString("latin1").slice(0, 500)}`);
  }
  return { executions, accepted, refused: executions - accepted, longestMs, broken };
}
