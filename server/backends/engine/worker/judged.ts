/** Log-probabilities in the words of their client: what each token was, as text and as bytes. Runs in a worker process. */
import type { ChosenLogprob } from "../../../domain/chat.ts";
import type { Job } from "./job.ts";
import type { NativeModel } from "./native.ts";

const decoder = new TextDecoder();

/** The log-probability of a token that was just chosen; null for a stream that did not ask. */
export async function judged(
  model: NativeModel,
  job: Job | undefined,
  logitIndex: number | null,
  token: number | null,
): Promise<ChosenLogprob | null> {
  const wish = job?.options.logprobs ?? null;
  if (wish === null || logitIndex === null || token === null || token < 0) return null;
  const { chosen, top } = await model.logprobs(logitIndex, token, wish.top);
  const named = (id: number, logprob: number) => {
    const { text, bytes } = model.tokenText(id);
    return { text: bytes.length === 0 ? text : decoder.decode(Uint8Array.from(bytes)), bytes, logprob };
  };
  return { ...named(token, chosen), top: top.map((one) => named(one.token, one.logprob)) };
}
