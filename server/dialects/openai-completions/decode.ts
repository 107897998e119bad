/**
 * An OpenAI completions body → `ChatRequest` with `completion`. Pure; runs in the server process; imports the domain only.
 *
 * Editors use this path to fill in at the cursor: `prompt` and `suffix` go to the model between its own tokens for that.
 */
import { z } from "zod";
import { answersOf, type ChatRequest, type RawPrompt } from "../../domain/chat.ts";
import { badField, fieldFailure } from "../field-failure.ts";
import { listOf } from "../list-of.ts";
import { mostAnswers, samplingFields, samplingOf, stopOf } from "../openai-sampling.ts";

/** OpenAI's default; unlike a chat, a completion has no natural end. */
const defaultMaxTokens = 16;
/** OpenAI's bound for the number of alternatives here. */
const mostLogprobs = 5;

const tokenId = z.int().min(0).max(0x7fff_ffff);
const prompt = z.union([z.string(), listOf(z.string(), 1), listOf(tokenId, 1), listOf(listOf(tokenId, 1), 1)], {
  error: "must be text, a list of texts, a list of token ids, or a list of such lists",
});

export const completionBody = z.object({
  model: z.string().min(1),
  prompt,
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(1).nullish(),
  n: z.int().min(1).max(mostAnswers).nullish(),
  best_of: z.int().min(1).max(20).nullish(),
  logprobs: z.int().min(0).max(mostLogprobs).nullish(),
  prompt_cache_key: z.string().nullish(),
  ...samplingFields,
});

/** Throws Failure `invalid_request` with `param`. `body` is parsed JSON. */
export function decodeCompletion(body: unknown): ChatRequest {
  const parsed = completionBody.safeParse(body);
  if (!parsed.success) throw fieldFailure(parsed.error);
  const wire = parsed.data;
  const logprobs = wire.logprobs ?? null;
  if ((wire.best_of ?? 1) > (wire.n ?? 1)) {
    throw badField("best_of", "The best of several is not chosen here: leave 'best_of' out and ask for 'n'.");
  }
  if (wire.echo === true && logprobs !== null) {
    throw badField("echo", "The prompt's own log-probabilities are not computed: ask for 'echo' or for 'logprobs'.");
  }
  if (wire.echo === true && wire.suffix != null) {
    throw badField("echo", "'echo' and 'suffix' cannot be combined: the answer stands between two texts you have.");
  }
  const request: ChatRequest = {
    model: wire.model,
    messages: [],
    completion: { prompts: promptsOf(wire.prompt), suffix: suffixOf(wire.suffix), echo: wire.echo ?? false },
    tools: [],
    toolChoice: { type: "none" },
    parallelToolCalls: true,
    responseFormat: { type: "text" },
    sampling: samplingOf(wire),
    maxTokens: wire.max_tokens ?? defaultMaxTokens,
    choices: wire.n ?? 1,
    logprobs: logprobs === null ? null : { top: logprobs },
    stop: stopOf(wire.stop),
    ignoreEos: wire.ignore_eos ?? false,
    cachePrompt: wire.cache_prompt ?? true,
    cacheKey: wire.prompt_cache_key ?? null,
    stream: wire.stream ?? false,
    includeUsage: wire.stream_options?.include_usage ?? false,
    wire: { dialect: "openai-completions", body: body as Readonly<Record<string, unknown>> },
  };
  if (answersOf(request) > mostAnswers) {
    throw badField("prompt", `'prompt' times 'n' asks for more than ${mostAnswers} answers.`);
  }
  return request;
}

/** A list of numbers is one prompt of token ids; a list of anything else holds one prompt each. */
function promptsOf(wire: z.infer<typeof prompt>): readonly RawPrompt[] {
  if (typeof wire === "string") return [wire];
  const texts = wire.filter((one) => typeof one === "string");
  const ids = wire.filter((one) => typeof one === "number");
  const lists = wire.filter((one) => Array.isArray(one));
  return ids.length > 0 ? [ids] : texts.length > 0 ? texts : lists;
}

/** Editors send an empty suffix at the end of a file: nothing stands behind the gap, so there is none. */
function suffixOf(wire: string | null | undefined): string | null {
  return wire === undefined || wire === null || wire === "" ? null : wire;
}
