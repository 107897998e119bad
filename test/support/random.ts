/** Random numbers that are the same in every run of a test: a seed gives a series. */

export interface Random {
  /** From 0 up to, and without, 1. */
  number(): number;
  /** From 0 up to, and without, `end`. */
  below(end: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
}

/** A linear feedback over 32 bits; good enough to choose branches. */
export function seeded(seed: number): Random {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  const number = (): number => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  for (let warm = 0; warm < 8; warm += 1) number();
  const below = (end: number): number => Math.floor(number() * end);
  return {
    number,
    below,
    chance: (probability) => number() < probability,
    pick: <Item>(items: readonly Item[]): Item => {
      if (items.length === 0) throw new Error("nothing to pick from");
      return items[below(items.length)] as Item;
    },
  };
}
