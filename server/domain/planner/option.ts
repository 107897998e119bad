/** The ways to serve a demand, and what each costs in a month. Pure; exact, in fractions of nano-USD until shown. */
import { type Capacity, gpusFor } from "./capacity.ts";
import type { Demand } from "./demand.ts";
import { minus, one, percent, plus, type Ratio, ratio, times, usd } from "./ratio.ts";
import { type TokenRates, tokenCost } from "./token-cost.ts";

/** A month's cost in its parts; `total` is their sum. */
export interface MonthlyCost {
  /** What grows with every token. */
  readonly tokens: Ratio;
  /** GPUs by the hour. */
  readonly machines: Ratio;
  /** People's time. */
  readonly operations: Ratio;
  /** What stands beside it: small servers, load balancer, storage. */
  readonly surroundings: Ratio;
  readonly total: Ratio;
  /** GPUs of one's own or rented; 0: none. */
  readonly gpus: number;
}

const nothing = ratio(0);

function costOf(parts: Partial<Omit<MonthlyCost, "total">>): MonthlyCost {
  const { tokens = nothing, machines = nothing, operations = nothing, surroundings = nothing, gpus = 0 } = parts;
  return { tokens, machines, operations, surroundings, gpus, total: plus(tokens, machines, operations, surroundings) };
}

/** US dollars a month. */
export interface ApiFixed {
  readonly surroundingsUsd: number;
  readonly operationsUsd: number;
}

export function apiCost(demand: Demand, rates: TokenRates, fixed: ApiFixed): MonthlyCost {
  return costOf({
    tokens: tokenCost(demand, rates),
    surroundings: usd(fixed.surroundingsUsd),
    operations: usd(fixed.operationsUsd),
  });
}

/** People's time with GPUs. */
export interface Operations {
  /** US dollars a month, whatever their number. */
  readonly operationsUsd: number;
  /** US dollars a month for each GPU. */
  readonly operationsPerGpuUsd: number;
}

export interface Hosting extends Operations {
  readonly capacity: Capacity;
  /** Nano-USD an hour of one GPU's machine. */
  readonly hourNanos: number;
  readonly hoursPerMonth: number;
  /** Taken off the machines for a promise of one or three years. */
  readonly reservedPercent: number;
}

/** The cost of so many GPUs: what the self-hosted line is between two steps. */
export function costOfGpus(gpus: number, hosting: Hosting): MonthlyCost {
  const count = ratio(gpus);
  return costOf({
    gpus,
    machines: times(
      count,
      ratio(hosting.hourNanos),
      ratio(hosting.hoursPerMonth),
      minus(one, percent(hosting.reservedPercent)),
    ),
    operations: plus(usd(hosting.operationsUsd), times(count, usd(hosting.operationsPerGpuUsd))),
  });
}

export function selfHostedCost(demand: Demand, hosting: Hosting): MonthlyCost {
  return costOfGpus(gpusFor(demand, hosting.capacity), hosting);
}

export interface Hybrid {
  readonly rates: TokenRates;
  readonly hosting: Hosting;
  /** Of the queries, those that GPUs of one's own answer; the API answers the others. */
  readonly localPercent: number;
}

/** GPUs for the local share, tokens for the rest; operations are those of the GPUs. */
export function hybridCost(demand: Demand, { rates, hosting, localPercent }: Hybrid): MonthlyCost {
  const local = percent(localPercent);
  const own = costOfGpus(gpusFor(demand, hosting.capacity, local), hosting);
  return costOf({ ...own, tokens: times(tokenCost(demand, rates), minus(one, local)) });
}

export interface OwnBox {
  readonly priceUsd: number;
  /** Months over which the price is spread. */
  readonly months: number;
  readonly busyWatts: number;
  readonly idleWatts: number;
  readonly busyHoursPerDay: number;
  readonly daysPerMonth: number;
  readonly kwhUsd: number;
}

/** Energy of a month, idle hours included, in kilowatt-hours. */
export function monthlyEnergy(box: OwnBox): Ratio {
  const busy = times(ratio(box.busyWatts), ratio(box.busyHoursPerDay));
  const idle = times(ratio(box.idleWatts), minus(ratio(24), ratio(box.busyHoursPerDay)));
  return times(plus(busy, idle), ratio(box.daysPerMonth), ratio(1, 1000));
}

export function monthlyPower(box: OwnBox): Ratio {
  return times(monthlyEnergy(box), usd(box.kwhUsd));
}

/** People's time as for rented GPUs: a box under a desk wants its updates too. */
export function ownBoxCost(
  box: OwnBox,
  boxes: number,
  { operationsUsd, operationsPerGpuUsd }: Operations,
): MonthlyCost {
  const depreciation = times(usd(box.priceUsd), ratio(1, box.months));
  return costOf({
    gpus: boxes,
    machines: times(ratio(boxes), plus(monthlyPower(box), depreciation)),
    operations: plus(usd(operationsUsd), times(ratio(boxes), usd(operationsPerGpuUsd))),
  });
}
