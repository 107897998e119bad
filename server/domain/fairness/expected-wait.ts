/** When those who wait will get a slot, from how long slots were held. Pure; milliseconds. */

/** A slot that is held for longer than expected is expected to be held for this share of the usual time more. */
const leastShareLeft = 0.25;

export function remainingMs(usualHoldMs: number, heldForMs: number): number {
  return Math.max(usualHoldMs - heldForMs, usualHoldMs * leastShareLeft);
}

/**
 * `slotsMs`: for each slot the time until it is free, 0 for a free one. `holdsMs`: how long each of those who wait will hold
 * one, in the order of their turns. Gives the wait of each.
 */
export function expectedWaitsMs(slotsMs: readonly number[], holdsMs: readonly number[]): readonly number[] {
  const free = [...slotsMs];
  return holdsMs.map((holdMs) => {
    let soonest = 0;
    for (const [at, ms] of free.entries()) if (ms < (free[soonest] ?? 0)) soonest = at;
    const waitMs = free[soonest] ?? 0;
    free[soonest] = waitMs + holdMs;
    return waitMs;
  });
}
