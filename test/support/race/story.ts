/** What happens in a race, from a seed: what the vendor does with each request, and how each client asks. Pure. */
import type { Random } from "../random.ts";
import { faults, type Step } from "../vendors/script.ts";

/** Most tokens that clients ask for, where they say so. */
export const askedTokens = 40;

const words = (count: number) => Array.from({ length: count }, (_, index) => `w${index % 10}`).join(" ");

/** Most answer within `mostTokens`; some fail before, in the middle or by silence; a few take more than they were allowed. */
export function vendorStep(random: Random, mostTokens: number, overruns: boolean): Step {
  const chance = random.number();
  const text = words(Math.min(mostTokens, 1 + random.below(15)));
  const gapMs = random.below(3);
  if (chance < 0.04) return { fault: faults.broken };
  if (chance < 0.07) return { fault: faults.unavailable };
  if (chance < 0.09) return { text, fault: faults.stall };
  if (chance < 0.11) return { fault: faults.silent };
  if (chance < 0.15) return { text, fault: { kind: "cut", at: random.number() } };
  if (chance < 0.2) return { text, gapMs, usage: "absent" };
  if (chance < 0.23 && overruns) return { text, gapMs, usage: { prompt: 300, completion: 80 } };
  return { text, gapMs, firstMs: random.below(20) };
}

export interface Ask {
  readonly alias: string;
  readonly stream: boolean;
  readonly maxTokens: number | null;
  /** The client leaves after so long; null: it stays. */
  readonly leavesAfterMs: number | null;
}

export function nextAsk(random: Random, aliases: readonly string[]): Ask {
  return {
    alias: random.pick(aliases),
    stream: random.chance(0.6),
    maxTokens: random.chance(0.8) ? 1 + random.below(askedTokens) : null,
    leavesAfterMs: random.chance(0.12) ? random.below(60) : null,
  };
}
