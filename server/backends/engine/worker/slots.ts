/**
 * Which slot a request gets and where its prefix comes from. Pure: facts in, a choice out; the step loop carries it out.
 */

/** What the choice needs to know about one slot. */
export interface SlotFacts {
  readonly sequence: number;
  readonly busy: boolean;
  /** Tokens whose KV is computed and in place. */
  readonly computed: readonly number[];
  /** Tokens that will be computed by whoever holds the slot: its prompt. Equal to `computed` in an idle slot. */
  readonly planned: readonly number[];
  /** A counter that grows with every use; the smallest was used longest ago. */
  readonly lastUse: number;
  /** What the last request in it belonged to; null: nobody said. */
  readonly session: string | null;
  /** It was a request beside a conversation (a title, a summary), or the slot was never used. */
  readonly side: boolean;
  /** Sharing group of what is computed and planned: other groups may neither use it nor notice it. */
  readonly group: string;
}

/** A saved prefix that lies outside the slots. */
export interface SnapshotFacts {
  readonly id: number;
  readonly tokens: ArrayLike<number>;
  readonly group: string;
}

/** What the choice needs to know about the request. */
export interface PlaceWish {
  /** At least one token. */
  readonly prompt: readonly number[];
  /** False: nothing is reused. */
  readonly share: boolean;
  readonly group: string;
  /** What it says it belongs to: another session's history is not gone on with, even where it begins alike. */
  readonly session: string | null;
}

export type Placement =
  /** Use this slot; keep its first `keep` tokens. */
  | { readonly type: "reuse"; readonly sequence: number; readonly keep: number }
  /** Copy `keep` tokens from `source` into this slot. */
  | { readonly type: "copy"; readonly sequence: number; readonly source: number; readonly keep: number }
  /** Bring a saved prefix into this slot and keep its first `keep` tokens. */
  | { readonly type: "restore"; readonly sequence: number; readonly snapshot: number; readonly keep: number }
  /** Take this slot, and wait until `source` has computed `until` tokens of the shared prefix. */
  | { readonly type: "wait"; readonly sequence: number; readonly source: number; readonly until: number };

/** Shorter shared prefixes are computed again: a copy moves the source's whole stream. Tokens. */
const smallestCopy = 32;
/** Reading a snapshot back pays when it saves at least this much over what the slots hold. Tokens. */
const smallestRestore = 64;
/** Waiting for somebody else's prefill pays only when it saves at least this much. Tokens. */
const smallestWait = 64;

export function commonPrefixLength(left: ArrayLike<number>, right: ArrayLike<number>): number {
  const most = Math.min(left.length, right.length);
  let length = 0;
  while (length < most && left[length] === right[length]) length += 1;
  return length;
}

/**
 * Chooses a slot; null when none is idle. At least one token is always left to compute, because the first answer token needs
 * fresh logits.
 */
export function placeInSlot(
  slots: readonly SlotFacts[],
  snapshots: readonly SnapshotFacts[],
  { prompt, share, group, session }: PlaceWish,
): Placement | null {
  const idle = slots.filter((slot) => !slot.busy);
  const oldest = idle.reduce<SlotFacts | null>(
    (best, slot) => (best === null || cheaperToLose(slot, best) ? slot : best),
    null,
  );
  if (oldest === null) return null;
  if (!share) return { type: "reuse", sequence: oldest.sequence, keep: 0 };

  const mostUseful = prompt.length - 1;
  const shared = (slot: SlotFacts, tokens: readonly number[]) =>
    slot.group === group ? Math.min(commonPrefixLength(tokens, prompt), mostUseful) : 0;
  let ownBest: { slot: SlotFacts; length: number } | null = null;
  let best: { slot: SlotFacts; length: number } | null = null;
  let promised: { slot: SlotFacts; length: number } | null = null;
  for (const slot of slots) {
    const length = shared(slot, slot.computed);
    if (!slot.busy && (ownBest === null || length > ownBest.length)) ownBest = { slot, length };
    if (best === null || length > best.length) best = { slot, length };
    if (!slot.busy) continue;
    const later = shared(slot, slot.planned);
    if (promised === null || later > promised.length) promised = { slot, length: later };
  }

  const have = best?.length ?? 0;
  const saved = bestSnapshot(snapshots, prompt, group);
  if (promised !== null && promised.length >= Math.max(have, saved?.length ?? 0) + smallestWait) {
    return { type: "wait", sequence: oldest.sequence, source: promised.slot.sequence, until: promised.length };
  }
  if (saved !== null && saved.length >= have + smallestRestore) {
    return { type: "restore", sequence: oldest.sequence, snapshot: saved.id, keep: saved.length };
  }
  // Going on in the slot that holds the prefix loses what lies behind it. That is right for a conversation that goes on,
  // and wrong when a long history shares only its head with us: then we copy the head and leave the history alone.
  if (ownBest !== null && ownBest.length >= have && continues(ownBest.slot, ownBest.length, oldest, session)) {
    return { type: "reuse", sequence: ownBest.slot.sequence, keep: ownBest.length };
  }
  if (best !== null && best.length >= smallestCopy && best.slot.sequence !== oldest.sequence) {
    return { type: "copy", sequence: oldest.sequence, source: best.slot.sequence, keep: best.length };
  }
  return { type: "reuse", sequence: oldest.sequence, keep: shared(oldest, oldest.computed) };
}

function bestSnapshot(
  snapshots: readonly SnapshotFacts[],
  prompt: readonly number[],
  group: string,
): { readonly id: number; readonly length: number } | null {
  let best: { id: number; length: number } | null = null;
  for (const snapshot of snapshots) {
    if (snapshot.group !== group) continue;
    const length = Math.min(commonPrefixLength(snapshot.tokens, prompt), prompt.length - 1);
    if (best === null || length > best.length) best = { id: snapshot.id, length };
  }
  return best;
}

/** An empty slot is lost most cheaply, then what was asked beside a conversation, then the one used longest ago. */
function cheaperToLose(left: SlotFacts, right: SlotFacts): boolean {
  const leftEmpty = left.computed.length === 0;
  const rightEmpty = right.computed.length === 0;
  if (leftEmpty !== rightEmpty) return leftEmpty;
  if (left.side !== right.side) return left.side;
  return left.lastUse < right.lastUse;
}

/** At least half of what the slot holds is ours, or it would be the one to lose anyway; and nobody else's that we know of. */
function continues(slot: SlotFacts, shared: number, oldest: SlotFacts, session: string | null): boolean {
  if (slot.sequence === oldest.sequence) return true;
  const isAnothers = session !== null && slot.session !== null && session !== slot.session;
  return !isAnothers && shared * 2 >= slot.computed.length;
}
