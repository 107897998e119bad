/**
 * Where one way of serving becomes cheaper than another. Pure. An API is a straight line over users; GPUs are a staircase: with
 * every step the line may fall behind again, so there can be several crossings, and the last one is what counts.
 */
import { gpusFor, usersFor } from "./capacity.ts";
import type { Demand } from "./demand.ts";
import { type ApiFixed, apiCost, costOfGpus, type Hosting } from "./option.ts";
import { ceilingOf, compare, minus, numberOf, over, type Ratio, ratio, zero } from "./ratio.ts";
import type { TokenRates } from "./token-cost.ts";

export interface Crossing {
  /** Where both lines meet, as a fraction of users. */
  readonly at: Ratio;
  /** The first whole number of users from which self-hosting costs less or the same. */
  readonly users: number;
  readonly gpus: number;
  /** What both cost there, in nano-USD. */
  readonly cost: Ratio;
}

export interface BreakEven {
  /** Ascending; one for each number of GPUs whose line the API's crosses. */
  readonly crossings: readonly Crossing[];
  /** From so many users on, self-hosting is never dearer, as far as was looked. Null: it stays dearer at the end. */
  readonly alwaysFrom: number | null;
  readonly lookedUpTo: number;
}

export interface BreakEvenQuestion {
  readonly demand: Demand;
  readonly rates: TokenRates;
  readonly fixed: ApiFixed;
  readonly hosting: Hosting;
  /** Users beyond which nobody asks. */
  readonly upTo: number;
  /** GPUs beyond which nobody asks: bounds the work. */
  readonly mostGpus?: number;
}

/** `demand.users` is not read. */
export function breakEven(question: BreakEvenQuestion): BreakEven {
  const { demand, rates, fixed, hosting, upTo, mostGpus = 2000 } = question;
  const atNone = apiCost({ ...demand, users: 0 }, rates, fixed).total;
  const perUser = minus(apiCost({ ...demand, users: 1 }, rates, fixed).total, atNone);
  const crossings: Crossing[] = [];
  let alwaysFrom: number | null = 1;
  let lookedUpTo = 0;
  for (let gpus = 1; gpus <= mostGpus && lookedUpTo < upTo; gpus += 1) {
    const first = lookedUpTo + 1;
    const last = Math.min(upTo, usersFor(gpus, demand, hosting.capacity) ?? upTo);
    // One user more than a GPU can serve: no number of users stands on this step.
    if (last < first) continue;
    lookedUpTo = last;
    const cost = costOfGpus(gpus, hosting).total;
    const at = compare(perUser, zero) === 0 ? null : over(minus(cost, atNone), perUser);
    const users = at === null ? null : Math.max(first, Number(ceilingOf(at)));
    const isCheaperAtEnd = users !== null && users <= last;
    if (!isCheaperAtEnd) alwaysFrom = null;
    else if (users > first || alwaysFrom === null) alwaysFrom = users;
    if (at !== null && isCheaperAtEnd && compare(at, ratio(first - 1)) > 0) crossings.push({ at, users, gpus, cost });
  }
  return { crossings, alwaysFrom, lookedUpTo };
}

/** Tokens a month at which a fixed cost equals a price per million tokens (both nano-USD). */
export function breakEvenTokens(fixedNanos: Ratio, nanosPerMillion: Ratio): Ratio {
  return over(fixedNanos, over(nanosPerMillion, ratio(1_000_000)));
}

/** The same demand at so many users, both ways, in nano-USD. */
export function bothAt(users: number, { demand, rates, fixed, hosting }: BreakEvenQuestion) {
  const asked = { ...demand, users };
  return {
    api: apiCost(asked, rates, fixed).total,
    selfHosted: costOfGpus(gpusFor(asked, hosting.capacity), hosting).total,
  };
}

/** Of a crossing, for showing only. */
export function usersAt({ at }: Crossing): number {
  return numberOf(at);
}
