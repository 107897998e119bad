/**
 * The fields that say how to sample, shared by OpenAI's chat and completions bodies. Pure; imports the domain only.
 */
import { z } from "zod";
import type { Sampling } from "../domain/chat.ts";
import { badField } from "./field-failure.ts";

/** OpenAI allows 4; agents with long stop lists exist and each string is cheap. */
const mostStopStrings = 16;
/** A stop string has to be held back while it may still complete, so it has a bound. */
const longestStopString = 1024;
const mostBiases = 10_000;
/** Answers one request may ask for, as at OpenAI. */
export const mostAnswers = 128;

const stop = z.union(
  [z.string().max(longestStopString), z.array(z.string().max(longestStopString)).max(mostStopStrings)],
  { error: `must be a string or a list of at most ${mostStopStrings} strings` },
);

/** Counted before it is read, so that half a million wrong entries are not described one by one. */
const logitBias = z
  .unknown()
  .refine((value) => typeof value !== "object" || value === null || Object.keys(value).length <= mostBiases, {
    abort: true,
    error: `must hold at most ${mostBiases} tokens`,
  })
  .pipe(z.record(z.string(), z.number().min(-100).max(100)));

export const samplingFields = {
  stop: stop.nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  seed: z.int().nullish(),
  logit_bias: logitBias.nullish(),
  /** Extensions shared with llama.cpp. A `top_k` of -1 means off in vLLM. */
  top_k: z.int().min(-1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repeat_penalty: z.number().gt(0).max(10).nullish(),
  ignore_eos: z.boolean().nullish(),
  cache_prompt: z.boolean().nullish(),
};

const sampling = z.object(samplingFields);
export type WireSampling = z.infer<typeof sampling>;

export function samplingOf(wire: WireSampling): Sampling {
  return {
    temperature: wire.temperature ?? null,
    topP: wire.top_p ?? null,
    topK: wire.top_k === undefined || wire.top_k === null ? null : Math.max(0, wire.top_k),
    minP: wire.min_p ?? null,
    // Any safe integer is a fair wish; the engine takes 32 bits of it.
    seed: wire.seed === undefined || wire.seed === null ? null : wire.seed >>> 0,
    frequencyPenalty: wire.frequency_penalty ?? null,
    presencePenalty: wire.presence_penalty ?? null,
    repeatPenalty: wire.repeat_penalty ?? null,
    logitBias: logitBiasOf(wire.logit_bias),
  };
}

export function stopOf(wished: WireSampling["stop"]): readonly string[] {
  const strings = typeof wished === "string" ? [wished] : (wished ?? []);
  // An empty string would end every answer before it began; clients send it to mean "none".
  return strings.filter((text) => text !== "");
}

function logitBiasOf(wire: WireSampling["logit_bias"]): ReadonlyMap<number, number> {
  const biases = new Map<number, number>();
  for (const [key, bias] of Object.entries(wire ?? {})) {
    if (!/^\d{1,9}$/.test(key)) throw badField("logit_bias", "The keys of 'logit_bias' must be token ids.");
    biases.set(Number(key), bias);
  }
  return biases;
}
