/** Which of several instances gets a request. Pure. */

export interface Instance {
  readonly lease: number;
  /** Requests of ours it holds now. */
  readonly inFlight: number;
  /** Its last answer broke off, and none has come since. */
  readonly failing: boolean;
}

/** So many more requests than the least busy one may a session's own instance have: its prompts are computed there already. */
export const mostAhead = 3;

/**
 * `bound`: where the session was last; null: nowhere. Who fails comes last, then who has most to do; of equals the oldest lease, so
 * that those that are not needed fall idle. Null: there is none.
 */
export function chooseInstance(instances: readonly Instance[], bound: number | null): Instance | null {
  const [best] = [...instances].sort(byLoad);
  if (best === undefined) return null;
  const own = instances.find(({ lease }) => lease === bound);
  if (own === undefined || own.failing !== best.failing) return best;
  return own.inFlight - best.inFlight <= mostAhead ? own : best;
}

function byLoad(one: Instance, other: Instance): number {
  return Number(one.failing) - Number(other.failing) || one.inFlight - other.inFlight || one.lease - other.lease;
}
