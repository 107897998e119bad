/**
 * Mutated model files against the validator: accepted, or refused with a reason, soon and without much memory. What was
 * accepted can be kept, for native code to be tried on it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RandomSource } from "../../models/random/numbers.ts";
import { examineGguf } from "../../models/gguf/validate.ts";
import type { FuzzBounds, FuzzResult } from "./fuzz-decoder.ts";
import { diceOf, mutatedBytes } from "./mutate.ts";

export interface GgufSeed {
  readonly bytes: Buffer;
  /** The header's length: what lies behind it is only weights. */
  readonly headerBytes: number;
}

/** Files are written into `folder`, one after the other under one name; `onAccepted` sees each that passes. */
export async function fuzzGguf(
  seeds: readonly GgufSeed[],
  folder: string,
  bounds: FuzzBounds,
  onAccepted: (bytes: Buffer) => Promise<void> = () => Promise.resolve(),
): Promise<FuzzResult> {
  const dice = diceOf(new RandomSource(bounds.seed));
  const path = join(folder, "mutated.gguf");
  const endMs = performance.now() + bounds.limitMs;
  const broken: string[] = [];
  let executions = 0;
  let accepted = 0;
  let longestMs = 0;
  while (executions < bounds.executions && performance.now() < endMs && broken.length < 20) {
    executions += 1;
    const { bytes, headerBytes } = dice.pick(seeds);
    const mutated = mutatedBytes(bytes, dice, headerBytes);
    writeFileSync(path, mutated);
    const startedMs = performance.now();
    try {
      const verdict = await examineGguf(path);
      if (verdict.accepted) {
        accepted += 1;
        await onAccepted(mutated);
      } else if (!/^[\x20-\x7e]{3,400}$/.test(verdict.reason)) {
        broken.push(`a reason that is no plain sentence: ${verdict.reason.slice(0, 300)}`);
      }
    } catch (thrown) {
      broken.push(`execution ${executions} threw ${String(thrown)}`);
    }
    longestMs = Math.max(longestMs, performance.now() - startedMs);
  }
  return { executions, accepted, refused: executions - accepted, longestMs, broken };
}
