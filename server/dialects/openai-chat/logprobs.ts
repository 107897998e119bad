/** Log-probabilities as OpenAI's chat answers carry them. Pure; imports the domain only. */
import type { ChosenLogprob, TokenLogprob } from "../../domain/chat.ts";

/** JSON has no infinity; OpenAI writes this for a token that is all but impossible. */
const lowestLogprob = -9999;

export function finiteLogprob(logprob: number): number {
  return Number.isFinite(logprob) ? logprob : lowestLogprob;
}

function wireToken({ text, bytes, logprob }: TokenLogprob): object {
  return { token: text, logprob: finiteLogprob(logprob), bytes };
}

export function wireLogprobs(tokens: readonly ChosenLogprob[]): {
  readonly content: readonly object[];
  readonly refusal: null;
} {
  const content = tokens.map((token) => ({ ...wireToken(token), top_logprobs: token.top.map(wireToken) }));
  return { content, refusal: null };
}
