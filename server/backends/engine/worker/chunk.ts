/**
 * How many prompt tokens the next step computes, and for whom. Pure.
 *
 * While others are answering, a step must not keep them waiting longer than the token gap; while nobody is, a step is still
 * kept to about a second, so that an abort or a new request is noticed. Smaller calls than a whole batch cost nothing on a
 * CPU down to 128 tokens (measured: 1,024 tokens in 4,601 ms at once, 4,613 ms in pieces of 128).
 */

export interface ChunkFacts {
  /** Streams that get one token each in this step. */
  readonly decoding: number;
  readonly batchSize: number;
  /** Longest gap between two tokens of a running stream, in milliseconds. */
  readonly tokenGapMs: number;
  /** Measured prompt tokens per second; null before the first measurement. */
  readonly prefillTokensPerSecond: number | null;
  /** What one step costs without any prompt tokens, in milliseconds. */
  readonly decodeStepMs: number;
  /** A slot is free and somebody waits for it: the step is kept short, so that the newcomer finds its end soon. */
  readonly slotAwaited: boolean;
}

/** Longest step when nobody is kept waiting, in milliseconds. */
const idleStepMs = 1_000;
/** Rows are computed in blocks; a ragged chunk wastes part of one. */
const blockTokens = 32;
/** Before anything is measured: small enough for a slow CPU. */
const firstChunkTokens = 128;

/** Prompt tokens for the next step, at least one block as far as the batch has room. */
export function chunkTokens(facts: ChunkFacts): number {
  const room = facts.batchSize - facts.decoding;
  if (room <= 0) return 0;
  if (facts.slotAwaited) return Math.min(room, blockTokens);
  if (facts.prefillTokensPerSecond === null) return Math.min(room, firstChunkTokens);
  const gapMs = facts.decoding > 0 ? facts.tokenGapMs - facts.decodeStepMs : idleStepMs;
  const fitting = (facts.prefillTokensPerSecond * Math.max(0, gapMs)) / 1_000;
  const blocks = Math.max(1, Math.round(fitting / blockTokens));
  return Math.min(room, blocks * blockTokens);
}

/** A caller with a request in a slot. */
export interface CallerFacts {
  readonly caller: string;
  /** Tokens computed for it, in a measure all callers share. */
  readonly served: number;
  /** It could use more than it gets: a prompt of it is being computed, or a request of it waits for a slot. */
  readonly wanting: boolean;
  /** It gets something out of every step: one of its requests is answering or has its prompt computed. */
  readonly computing: boolean;
}

/** A caller may be this much ahead of another before its prompts wait. Tokens; about one chunk on a CPU. */
const lead = 128;

/**
 * Callers whose prompts get nothing in the next step, because somebody who wants more has had less. Shorter steps then bring
 * that caller's answers to their end sooner and its next request into a slot. A caller that gets all it can use holds nobody
 * back, and never are all held back: whoever has had least computes.
 */
export function heldBack(callers: readonly CallerFacts[]): ReadonlySet<string> {
  const least = callers
    .filter(({ wanting, computing }) => wanting && computing)
    .reduce((least, { served }) => Math.min(least, served), Number.POSITIVE_INFINITY);
  return new Set(callers.filter(({ served }) => served > least + lead).map(({ caller }) => caller));
}

/** A prompt that is being computed. */
export interface PrefillFacts {
  readonly key: string;
  readonly tokensLeft: number;
  /** Steps in which it got nothing. */
  readonly passedOver: number;
}

/**
 * Shares the budget: the shortest remaining prompt first, so that small requests are not held up by large ones; but one
 * that was passed over `patience` times goes first, so that nothing starves. Gives tokens per key, in the order to add them.
 */
export function sharePrefill(
  prompts: readonly PrefillFacts[],
  budget: number,
  patience = 16,
): readonly { readonly key: string; readonly tokens: number }[] {
  const ordered = [...prompts].sort((left, right) => {
    const leftStarved = left.passedOver >= patience;
    const rightStarved = right.passedOver >= patience;
    if (leftStarved !== rightStarved) return leftStarved ? -1 : 1;
    return left.tokensLeft - right.tokensLeft;
  });
  const shares: { key: string; tokens: number }[] = [];
  let left = budget;
  for (const prompt of ordered) {
    if (left <= 0) break;
    const tokens = Math.min(prompt.tokensLeft, left);
    shares.push({ key: prompt.key, tokens });
    left -= tokens;
  }
  return shares;
}
