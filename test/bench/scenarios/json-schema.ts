/**
 * What a grammar made from a JSON schema costs per step: eight streams over the true vocabulary, free, under the tools of a
 * coding agent, and under structure alone, where random weights are rejected at every token.
 */
import { streamChat } from "../client.ts";
import type { Prompts } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";

const streams = 8;
const answerTokens = 48;

const text = { type: "string", description: "free text" };
const path = { type: "string", minLength: 1, description: "absolute path" };
const whole = { type: "integer", minimum: 0, maximum: 9_007_199_254_740_991 };

/** With the keywords that agents send: bounds, lengths, enums, nullable members, nested lists. */
const tools: Readonly<Record<string, { readonly properties: object; readonly required: readonly string[] }>> = {
  read_file: {
    properties: { path, offset: { anyOf: [whole, { type: "null" }] }, limit: { type: "integer", exclusiveMinimum: 0 } },
    required: ["path"],
  },
  write_file: { properties: { path, content: text }, required: ["path", "content"] },
  edit: {
    properties: { path, old_text: text, new_text: text, replace_all: { type: "boolean", default: false } },
    required: ["path", "old_text", "new_text"],
  },
  run: {
    properties: {
      command: path,
      timeout_ms: { type: "integer", minimum: 1, maximum: 600_000 },
      background: { type: "boolean" },
    },
    required: ["command"],
  },
  search: {
    properties: {
      pattern: path,
      mode: { type: "string", enum: ["content", "files", "count"] },
      case_sensitive: { type: "boolean" },
      before: whole,
      after: whole,
      head_limit: whole,
    },
    required: ["pattern"],
  },
  todo_write: {
    properties: {
      todos: {
        type: "array",
        minItems: 1,
        maxItems: 20,
        items: {
          type: "object",
          properties: {
            id: { type: "string" },
            content: path,
            status: { enum: ["pending", "in_progress", "completed"] },
          },
          required: ["content", "status"],
        },
      },
    },
    required: ["todos"],
  },
};

/** A list of calls: longer than any answer here, so that all streams run to the end. */
const agentCalls = {
  type: "array",
  minItems: answerTokens,
  items: {
    oneOf: Object.entries(tools).map(([name, parameters]) => ({
      type: "object",
      properties: { name: { const: name }, arguments: { type: "object", additionalProperties: false, ...parameters } },
      required: ["name", "arguments"],
      additionalProperties: false,
    })),
  },
};

const structure = {
  type: "array",
  minItems: answerTokens,
  items: {
    type: "object",
    properties: Object.fromEntries(Object.keys(tools).map((name) => [name, { type: "boolean" }])),
  },
};

export const jsonSchema: Scenario = {
  id: "json-schema",
  groups: ["step"],
  server: { model: "large", context: 2048, slots: streams, threads: 2 },
  rows: [
    { name: "between two tokens of 8 free streams", unit: "ms", better: "lower", target: null },
    { name: "the same under an agent's tools", unit: "ms", better: "lower", target: null },
    { name: "the same under structure alone", unit: "ms", better: "lower", target: null },
    { name: "an agent's tools / free", unit: "x", better: "lower", target: null },
    { name: "structure alone / free", unit: "x", better: "lower", target: null },
  ],
  runs: 3,
  plan: "ours",
  warmUp: async (contestant, prompts) => {
    await betweenTokens(contestant, prompts, 1, agentCalls);
  },
  sample: async (contestant, prompts, seed) => {
    const free = await betweenTokens(contestant, prompts, seed, null);
    const agent = await betweenTokens(contestant, prompts, seed, agentCalls);
    const worst = await betweenTokens(contestant, prompts, seed, structure);
    return [free, agent, worst, agent / free, worst / free];
  },
};

/** Milliseconds from the first token to the last, per token, in the middle of eight streams. */
async function betweenTokens(
  contestant: Contestant,
  prompts: Prompts,
  seed: number,
  schema: object | null,
): Promise<number> {
  const results = await Promise.all(
    Array.from({ length: streams }, (_, stream) =>
      streamChat({
        url: contestant.url,
        model: contestant.model,
        messages: [{ role: "user", content: prompts.text(40, seed * 100 + stream) }],
        maxTokens: answerTokens,
        ...(schema === null ? {} : { schema }),
      }),
    ),
  );
  const cut = results.filter(({ completionTokens }) => completionTokens !== answerTokens);
  if (cut.length > 0) throw new Error(`${contestant.name}: an answer ended before its length`);
  const perToken = results.map(
    ({ arrivalsMs, endedAtMs }) => (endedAtMs - (arrivalsMs[0] ?? endedAtMs)) / (answerTokens - 1),
  );
  return perToken.sort((left, right) => left - right)[streams / 2] ?? Number.NaN;
}
