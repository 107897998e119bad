/** One measured chat request over HTTP: when its first and last token came, and what the server counted. */
import { createParser } from "eventsource-parser";
import { z } from "zod";
import type { Client } from "./client.ts";
import { CommandFailure } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";

export interface StreamFigures {
  /** From sending the request to its first and its last piece of text, in milliseconds. */
  readonly firstTokenMs: number;
  readonly lastTokenMs: number;
  /** Milliseconds of the process' monotonic clock. */
  readonly startedAtMs: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export interface StreamOrder {
  readonly alias: string;
  readonly prompt: string;
  /** Exactly so many: the model's own end is ignored. */
  readonly tokens: number;
  readonly signal: AbortSignal;
}

const chunk = z.object({
  choices: z.array(z.object({ delta: z.object({ content: z.string().nullish() }).optional() })).optional(),
  usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int() }).nullish(),
  error: z.object({ message: z.string(), code: z.string().nullish() }).optional(),
});

/** Computes the whole prompt anew, so that the second run measures the same as the first. Throws CommandFailure. */
export async function measureStream(client: Client, order: StreamOrder): Promise<StreamFigures> {
  const startedAtMs = performance.now();
  let firstTokenMs: number | null = null;
  let lastTokenMs = 0;
  let usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | null = null;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === "[DONE]") return;
      const event = chunk.parse(JSON.parse(data));
      if (event.error !== undefined) {
        throw new CommandFailure(exitCodes.failed, event.error.code ?? "internal", event.error.message, {
          why: "The answer that was being measured failed.",
          next: ["lanthorn doctor"],
        });
      }
      usage = event.usage ?? usage;
      if (!event.choices?.[0]?.delta?.content) return;
      lastTokenMs = performance.now() - startedAtMs;
      firstTokenMs ??= lastTokenMs;
    },
  });
  const body = {
    model: order.alias,
    messages: [{ role: "user", content: order.prompt }],
    max_tokens: order.tokens,
    temperature: 0,
    ignore_eos: true,
    cache_prompt: false,
    stream: true,
    stream_options: { include_usage: true },
  };
  const pieces = client.stream("POST", "/v1/chat/completions", { body, signal: order.signal });
  for await (const piece of pieces) parser.feed(piece);
  return figures(startedAtMs, firstTokenMs, lastTokenMs, usage);
}

function figures(
  startedAtMs: number,
  firstTokenMs: number | null,
  lastTokenMs: number,
  usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | null,
): StreamFigures {
  if (firstTokenMs === null || usage === null) {
    throw new CommandFailure(exitCodes.failed, "no_tokens", "The model gave no text to measure", {
      why: "The stream ended without a token, or without the count of its tokens.",
      next: ["lanthorn models list"],
    });
  }
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = usage;
  return { startedAtMs, firstTokenMs, lastTokenMs, promptTokens, completionTokens };
}
