/**
 * How sure a model was of its answer, 0 to 1, from the log-probabilities of the tokens it chose. Pure.
 *
 * It is the square root of (mean × weakest): `mean` is e to the mean log-probability of all tokens, `weakest` the same of the
 * weakest run of eight tokens in a row. A long sure answer with one guessed name in it is so less sure than its mean says.
 */

export interface Confidence {
  readonly value: number;
  readonly mean: number;
  readonly weakest: number;
  readonly tokens: number;
}

/** Tokens: about a name or a figure with what leads to it. */
const windowTokens = 8;
/** Some backends write an impossible token as minus infinity or -9999. */
const leastLogprob = -100;

/** Null: there are no tokens to judge by. */
export function confidenceOf(logprobs: readonly number[]): Confidence | null {
  const known = logprobs.filter((one) => !Number.isNaN(one)).map((one) => Math.min(0, Math.max(leastLogprob, one)));
  if (known.length === 0) return null;
  const size = Math.min(windowTokens, known.length);
  let sum = 0;
  let inWindow = 0;
  let least = Infinity;
  for (const [index, logprob] of known.entries()) {
    sum += logprob;
    inWindow += logprob - (index >= size ? (known[index - size] ?? 0) : 0);
    if (index >= size - 1) least = Math.min(least, inWindow);
  }
  const mean = sum / known.length;
  const weakest = Math.min(0, least / size);
  return {
    value: Math.exp((mean + weakest) / 2),
    mean: Math.exp(mean),
    weakest: Math.exp(weakest),
    tokens: known.length,
  };
}
