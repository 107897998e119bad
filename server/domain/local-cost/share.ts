/** Divides an amount so that the parts add up to it exactly. Pure. */

/**
 * Whole parts of a whole `amount`, as near to `weights` as whole numbers are: each gets its exact share rounded down, and what
 * is left goes one by one to those that lost most by that (largest remainder). Equals are served from `first` on, in order, so
 * that a caller that counts on is fair to all. Weights are whole and not negative; all 0 counts as all equal; of none there are
 * no parts.
 */
export function shared(amount: number, weights: readonly number[], first = 0): number[] {
  if (weights.length === 0) return [];
  const usual = weights.some((weight) => weight > 0) ? weights : weights.map(() => 1);
  const total = usual.reduce((sum, weight) => sum + BigInt(weight), 0n);
  const exact = usual.map((weight) => BigInt(amount) * BigInt(weight));
  const parts = exact.map((share) => Number(share / total));
  const left = amount - parts.reduce((sum, part) => sum + part, 0);
  const turn = (index: number) => (index - first + weights.length * (first + 1)) % weights.length;
  const order = exact
    .map((share, index) => ({ index, lost: share % total }))
    .sort((one, other) => Number(other.lost - one.lost) || turn(one.index) - turn(other.index));
  for (const { index } of order.slice(0, left)) parts[index] = (parts[index] ?? 0) + 1;
  return parts;
}
