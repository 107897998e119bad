/** What is saved, what is written again, and what goes when there is too much. Pure; runs in workers and in the server. */

/** A shorter loss is computed again sooner than saved and found. Tokens. */
export const smallestLoss = 128;
/** On a disk a conversation is written again only when it has grown by this factor: over its life at most five times its size. */
const diskGrowth = 1.25;

export interface LossFacts {
  /** Tokens the slot holds. */
  readonly tokens: number;
  /** Of those, what nobody will hold afterwards. */
  readonly lost: number;
  /** The longest part of them that is saved already, from their beginning. */
  readonly saved: number;
  /** Into memory or onto a disk. */
  readonly tier: "memory" | "disk";
  /** The process ends: there will be no later chance. */
  readonly last: boolean;
}

export function worthSaving({ tokens, lost, saved, tier, last }: LossFacts): boolean {
  if (lost < smallestLoss || tokens - saved < smallestLoss) return false;
  return tier === "memory" || last || tokens >= saved * diskGrowth;
}

export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly lastUsedMs: number;
}

/** Which files have to go so that the rest keeps to the limit: the least recently used first. */
export function oldestOver<File extends StoredFile>(files: readonly File[], limitBytes: number): readonly File[] {
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const going: File[] = [];
  for (const file of [...files].sort((left, right) => left.lastUsedMs - right.lastUsedMs)) {
    if (total <= limitBytes) break;
    total -= file.bytes;
    going.push(file);
  }
  return going;
}

export interface LeavingSlot {
  readonly tokens: { readonly length: number };
  readonly lastUse: number;
  /** Asked beside a conversation. */
  readonly side: boolean;
}

/**
 * In which order slots are saved when time may run out. Saving costs as much as it is worth, token for token, so what counts is
 * who is likely to come back: conversations before what was asked beside them, then the latest.
 */
export function savingOrder<Slot extends LeavingSlot>(slots: readonly Slot[]): readonly Slot[] {
  return slots
    .filter(({ tokens }) => tokens.length >= smallestLoss)
    .sort((left, right) => Number(left.side) - Number(right.side) || right.lastUse - left.lastUse);
}
