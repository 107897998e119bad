/**
 * Who gets how many tokens in the next step. Runs in a worker process; the rules are pure and lie in `chunk.ts`, here they meet
 * the slots.
 */
import { type CallerFacts, type ChunkFacts, chunkTokens, heldBack, sharePrefill } from "./chunk.ts";
import type { Job, Slot } from "./job.ts";

/** A slot's share of one step. */
export interface Turn {
  readonly slot: Slot;
  readonly job: Job;
  readonly tokens: readonly number[];
  readonly wantsLogits: boolean;
}

export type StepFacts = Omit<ChunkFacts, "decoding">;

/** `callers` is asked only when prompts are computed. Counts for each prompt how often it got nothing. */
export function planTurns(
  slots: readonly Slot[],
  facts: () => StepFacts,
  callers: () => readonly CallerFacts[],
): readonly Turn[] {
  const turns: Turn[] = [];
  const prompts = new Map<string, { slot: Slot; job: Job }>();
  for (const slot of slots) {
    const job = slot.job;
    if (job?.phase === "decode") turns.push({ slot, job, tokens: [job.nextToken], wantsLogits: true });
    if (job?.phase === "prefill") prompts.set(job.id, { slot, job });
  }
  if (prompts.size === 0) return turns;
  const budget = chunkTokens({ ...facts(), decoding: turns.length });
  const held = heldBack(callers());
  const waiting = [...prompts]
    .filter(([, { job }]) => !held.has(job.callerId))
    .map(([key, { slot, job }]) => ({
      key,
      tokensLeft: job.prompt.length - slot.tokens.length,
      passedOver: job.passedOver,
    }));
  for (const { key } of waiting) {
    const job = prompts.get(key)?.job;
    if (job) job.passedOver += 1;
  }
  for (const share of sharePrefill(waiting, budget)) {
    const prompt = prompts.get(share.key);
    if (!prompt) continue;
    prompt.job.passedOver = 0;
    const from = prompt.slot.tokens.length;
    const tokens = prompt.job.prompt.slice(from, from + share.tokens);
    turns.push({ ...prompt, tokens, wantsLogits: from + share.tokens === prompt.job.prompt.length });
  }
  return turns;
}
