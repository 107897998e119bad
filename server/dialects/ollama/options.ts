/**
 * The `options` of an Ollama body: how to sample, how much to write, and wishes about the machine. Pure; runs in the server
 * process; imports the domain only.
 *
 * Wishes about the machine (`num_gpu`, `num_thread` …) are dropped: this box plans its loads itself. What would change the words
 * of the answer and is not done here is noted in the request's record.
 */
import { z } from "zod";
import type { Sampling } from "../../domain/chat.ts";
import type { RequestNote } from "../../domain/note.ts";

/** As for OpenAI's bodies. */
const mostStopStrings = 16;
const longestStopString = 1024;

const stop = z.union(
  [z.string().max(longestStopString), z.array(z.string().max(longestStopString)).max(mostStopStrings)],
  { error: `must be a string or a list of at most ${mostStopStrings} strings` },
);

export const ollamaOptions = z.object({
  /** Below 1: until the model stops. */
  num_predict: z.int().min(-2).nullish(),
  num_ctx: z.int().min(0).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(-1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  /** -1 is a random one. */
  seed: z.int().nullish(),
  stop: stop.nullish(),
  repeat_penalty: z.number().gt(0).max(10).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  repeat_last_n: z.int().nullish(),
  mirostat: z.int().nullish(),
  typical_p: z.number().nullish(),
  tfs_z: z.number().nullish(),
});
export type OllamaOptions = z.infer<typeof ollamaOptions>;

/** What each wish that is not kept is when it wishes nothing. */
const nothingWished = Object.freeze({ mirostat: 0, typical_p: 1, tfs_z: 1, repeat_last_n: null });

export function samplingOf(options: OllamaOptions): Sampling {
  const { seed, top_k: topK } = options;
  return {
    temperature: options.temperature ?? null,
    topP: options.top_p ?? null,
    topK: topK === undefined || topK === null ? null : Math.max(0, topK),
    minP: options.min_p ?? null,
    seed: seed === undefined || seed === null || seed === -1 ? null : seed >>> 0,
    frequencyPenalty: options.frequency_penalty ?? null,
    presencePenalty: options.presence_penalty ?? null,
    repeatPenalty: options.repeat_penalty ?? null,
    logitBias: new Map(),
  };
}

export function maxTokensOf({ num_predict: wished }: OllamaOptions): number | null {
  return wished === undefined || wished === null || wished < 1 ? null : wished;
}

export function stopOf({ stop: wished }: OllamaOptions): readonly string[] {
  const strings = typeof wished === "string" ? [wished] : (wished ?? []);
  // An empty string would end every answer before it began.
  return strings.filter((text) => text !== "");
}

/** Wishes that nobody keeps here, whatever the model. */
export function unkeptOptions(options: OllamaOptions): readonly RequestNote[] {
  const notes: RequestNote[] = [];
  for (const [name, nothing] of Object.entries(nothingWished)) {
    const wished = options[name as keyof typeof nothingWished];
    if (wished === undefined || wished === null || wished === nothing) continue;
    notes.push({ code: "wish_not_kept", detail: `options.${name}` });
  }
  return notes;
}
