/**
 * How many may wait, and how many of them for one caller. Pure.
 *
 * A caller alone may take every place. As soon as others wait it may take no more than half of them; and what it already
 * holds past its half takes no place away from the others, so nobody finds the line filled by somebody else alone. In all, at
 * most one and a half times the bound wait.
 */
export interface RoomFacts {
  /** Who wants to come. */
  readonly caller: string;
  /** Requests without a slot, per caller: those that wait, and those still being prepared. */
  readonly waiting: ReadonlyMap<string, number>;
  /** Most requests that may wait. */
  readonly bound: number;
  /** Slots that nobody holds: as many more may come, because they will not wait. */
  readonly freeSlots: number;
}

export function hasRoom(facts: RoomFacts): boolean {
  const { caller, waiting, bound, freeSlots } = facts;
  const own = waiting.get(caller) ?? 0;
  const isAlone = waiting.size === 0 || (waiting.size === 1 && own > 0);
  const places = bound + freeSlots;
  if (isAlone) return own < places;
  const share = Math.ceil(bound / 2) + freeSlots;
  let taken = 0;
  for (const count of waiting.values()) taken += Math.min(count, share);
  return own < share && taken < places;
}
