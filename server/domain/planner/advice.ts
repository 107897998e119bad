/** The tables of `lanthorn plan gpus`, `buy-or-rent` and `effects`: one demand and many machines, hours or measures. Pure. */
import type { Nanos } from "../money.ts";
import type { PriceRow } from "../pricing/book.ts";
import { hoursToPayBack, monthlyRent, monthlySaving, paybackMonths, type Rental } from "./buy-or-rent.ts";
import { gpusFor, usersFor } from "./capacity.ts";
import { afterCache, conversationTokens, percentBelow, routed } from "./effects.ts";
import { type Instance, usualHourNanos } from "./instances/instance.ts";
import { apiCost, monthlyPower, selfHostedCost } from "./option.ts";
import { capacityOf, demandOf, fixedOf, hostingOf, ownBoxOf, settingOf, settingsFor } from "./from-settings.ts";
import { minus, nanosOf, numberOf, type Ratio, ratio, roundedTo, times } from "./ratio.ts";
import type { Settings } from "./settings.ts";
import { ratesFor, type TokenRates } from "./token-cost.ts";

export interface GpuRow {
  readonly instance: string;
  readonly gpu: string;
  readonly decodePerSecond: number;
  readonly decodeBasis: string;
  /** GPUs that hold the model together. */
  readonly toHold: number;
  /** For the users at their peak, by whole groups. */
  readonly gpus: number;
  readonly mostUsers: number | null;
  readonly monthNanos: Nanos;
  readonly source: string;
  readonly checked: string | null;
}

/** Cheapest first. */
export function gpuRows(settings: Settings, instances: readonly Instance[]): readonly GpuRow[] {
  const demand = demandOf(settings);
  return instances
    .filter(({ card }) => card !== null)
    .map((instance) => {
      const here = settingsFor(settings, instance);
      const capacity = capacityOf(here, instance);
      const gpus = gpusFor(demand, capacity);
      return {
        instance: instance.id,
        gpu: instance.gpu ?? "",
        decodePerSecond: settingOf(here, "decodePerSecond"),
        decodeBasis: here.decodePerSecond?.basis ?? "assumed",
        toHold: capacity.group,
        gpus,
        mostUsers: usersFor(gpus, demand, capacity),
        monthNanos: nanosOf(selfHostedCost(demand, hostingOf(here, instance)).total),
        source: instance.source,
        checked: instance.checked,
      };
    })
    .sort((left, right) => left.monthNanos - right.monthNanos);
}

export interface RentRow {
  readonly hoursPerDay: number;
  readonly rentNanos: Nanos;
  readonly powerNanos: Nanos;
  readonly savedNanos: Nanos;
  /** Null: it never pays for itself. */
  readonly paybackMonths: number | null;
}

export interface BuyOrRent {
  readonly instance: string;
  readonly hourNanos: Nanos;
  readonly boxNanos: Nanos;
  readonly withinMonths: number;
  /** Null: not even at 24. */
  readonly fromHoursPerDay: number | null;
  readonly rows: readonly RentRow[];
}

const usualHours: readonly number[] = [2, 6, 12, 24];

export function buyOrRent(settings: Settings, instance: Instance, hours: readonly number[] = usualHours): BuyOrRent {
  const box = ownBoxOf(settings, 0);
  const rental = (hoursPerDay: number): Rental => ({
    hourNanos: usualHourNanos(instance),
    hoursPerDay,
    daysPerMonth: settingOf(settings, "daysPerMonth"),
    diskNanosPerMonth: 0,
  });
  const rows = hours.map((hoursPerDay): RentRow => {
    const months = paybackMonths(box, rental(hoursPerDay));
    return {
      hoursPerDay,
      rentNanos: nanosOf(monthlyRent(rental(hoursPerDay))),
      powerNanos: nanosOf(monthlyPower({ ...box, busyHoursPerDay: hoursPerDay })),
      savedNanos: nanosOf(monthlySaving(box, rental(hoursPerDay))),
      paybackMonths: months === null ? null : toTenth(months),
    };
  });
  return {
    instance: instance.id,
    hourNanos: usualHourNanos(instance),
    boxNanos: nanosOf(times(ratio(box.priceUsd), ratio(1_000_000_000))),
    withinMonths: box.months,
    fromHoursPerDay: hoursToPayBack(box, rental(1), box.months),
    rows,
  };
}

export interface EffectRow {
  readonly measure: string;
  readonly monthNanos: Nanos;
  readonly savedNanos: Nanos;
  readonly savedPercent: number;
  readonly how: string;
}

export interface EffectsQuestion {
  readonly settings: Settings;
  readonly api: PriceRow;
  /** Where simple queries could go. */
  readonly small: PriceRow;
  readonly instance: Instance;
}

/** Of a routed demand, the share that is simple enough for a small model; the guide's smallest tier. */
const simplePercent = 70;
const cacheHitPercent = 40;
const cachedPromptPercent = 50;
const turns = 20;

/** Each measure alone, on tokens; the last two on machines. */
export function effectRows({ settings, api, small, instance }: EffectsQuestion): readonly EffectRow[] {
  const demand = demandOf(settings);
  const rates = ratesFor(api, demand.promptTokens);
  const tokensOf = (asked: typeof demand, at: TokenRates = rates) => apiCost(asked, at, fixedOf(settings)).tokens;
  const before = tokensOf(demand);
  const row = (measure: string, after: Ratio, how: string, from: Ratio = before): EffectRow => ({
    measure,
    monthNanos: nanosOf(after),
    savedNanos: nanosOf(minus(from, after)),
    savedPercent: toTenth(percentBelow(from, after)),
    how,
  });
  const smallCost = tokensOf(demand, ratesFor(small, demand.promptTokens));
  const routedCost = routed([
    { percent: simplePercent, cost: smallCost },
    { percent: 100 - simplePercent, cost: before },
  ]);
  const perTurn = demand.promptTokens;
  const whole = conversationTokens(turns, perTurn, null);
  const cut = conversationTokens(turns, perTurn, perTurn * 4);
  const contextCost = (sum: number) => tokensOf({ ...demand, promptTokens: Math.round(sum / turns) });
  const batchHow =
    rates.batch === null
      ? "no price of batches is known there: nothing is taken off"
      : `every query waits up to a day, at ${rates.batch.numerator}/${rates.batch.denominator} of the price`;
  const cachedHow =
    rates.cached === null
      ? "no price of cached tokens is known there: nothing is taken off"
      : `${cachedPromptPercent} % of each prompt is read from the provider's cache`;
  const hosting = hostingOf(settingsFor(settings, instance), instance);
  const machines = (reservedPercent: number) => selfHostedCost(demand, { ...hosting, reservedPercent }).machines;
  return [
    row("as it is", before, "tokens of a month"),
    row("response cache", afterCache(before, cacheHitPercent), `${cacheHitPercent} % of the queries were asked before`),
    row("prompt cache", tokensOf({ ...demand, cachedPromptPercent }), cachedHow),
    row("batches", tokensOf({ ...demand, batchPercent: 100 }), batchHow),
    row(
      "routing",
      routedCost,
      `${simplePercent} % of the queries are simple and go to ${small.provider}/${small.model}`,
    ),
    row(
      "shorter context",
      tokensOf({ ...demand, promptTokens: Math.round(demand.promptTokens / 4) }),
      "a quarter of each prompt",
    ),
    row(
      "context budget",
      contextCost(cut),
      `conversations of ${turns} turns that send at most the last four, against sending everything`,
      contextCost(whole),
    ),
    row("reserved, 1 year", machines(30), `30 % off ${instance.id}`, machines(0)),
    row("reserved, 3 years", machines(50), `50 % off ${instance.id}`, machines(0)),
  ];
}

function toTenth(value: Ratio): number {
  return Number(numberOf(roundedTo(value, ratio(1, 10))).toFixed(1));
}
