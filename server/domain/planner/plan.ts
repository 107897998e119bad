/**
 * The comparison: what one demand costs in a month by API, on rented GPUs, on both, and on a box of one's own; where the lines meet; and
 * what everything was counted with. Pure: prices, settings and the box's facts come in, amounts go out as whole nano-dollars.
 */
import type { Nanos } from "../money.ts";
import type { PriceRow } from "../pricing/book.ts";
import { type BreakEven, breakEven, usersAt } from "./break-even.ts";
import { busyHoursPerDay, gpusFor } from "./capacity.ts";
import { type Demand, monthOf } from "./demand.ts";
import type { Figure } from "./figure.ts";
import { demandOf, fixedOf, hostingOf, ownBoxOf, settingOf, settingsFor } from "./from-settings.ts";
import { type Instance, usualHourNanos } from "./instances/instance.ts";
import { apiCost, hybridCost, type MonthlyCost, ownBoxCost, selfHostedCost } from "./option.ts";
import { costPerPoint, scoreOf } from "./quality.ts";
import { nanosOf, nanosWithin, numberOf, over, ratio, times } from "./ratio.ts";
import type { SettingName, Settings } from "./settings.ts";
import { ratesFor } from "./token-cost.ts";

export interface PlanQuestion {
  readonly settings: Settings;
  /** The first is the one that the others are compared with. At least one. */
  readonly apis: readonly PriceRow[];
  readonly instance: Instance;
  /** A model whose score stands for GPUs of one's own; null: none. */
  readonly localModel: string | null;
}

export type OptionKind = "api" | "self_hosted" | "hybrid" | "own_box";

export interface PlannedOption {
  readonly id: string;
  readonly kind: OptionKind;
  readonly tokensNanos: Nanos;
  readonly machinesNanos: Nanos;
  readonly operationsNanos: Nanos;
  readonly surroundingsNanos: Nanos;
  /** The sum, rounded once. */
  readonly monthNanos: Nanos;
  /** Null here and below: more than nine million dollars, which whole nano-dollars do not hold. */
  readonly yearNanos: Nanos | null;
  readonly threeYearsNanos: Nanos | null;
  /** Null: there are no queries. */
  readonly perQueryNanos: Nanos | null;
  readonly gpus: number;
  /** Of 100; null: nobody scored it. */
  readonly quality: number | null;
  readonly yearPerPointNanos: Nanos | null;
  readonly basis: "estimated";
  /** What its prices are. */
  readonly from: string;
}

export interface PlannedCrossing {
  readonly users: number;
  /** Where both lines meet, between whole users. */
  readonly at: number;
  readonly gpus: number;
  readonly costNanos: Nanos;
}

export interface PlannedBreakEven {
  readonly api: string;
  readonly crossings: readonly PlannedCrossing[];
  /** Null: at no number of users up to `lookedUpTo` is it cheaper for good. */
  readonly alwaysFrom: number | null;
  readonly lookedUpTo: number;
}

export interface SeriesPoint {
  readonly users: number;
  readonly apiNanos: Nanos;
  readonly selfHostedNanos: Nanos;
  readonly hybridNanos: Nanos;
}

export interface Plan {
  readonly demand: {
    readonly users: number;
    readonly queriesPerMonth: number;
    readonly promptTokensPerMonth: number;
    readonly completionTokensPerMonth: number;
  };
  readonly options: readonly PlannedOption[];
  readonly cheapest: string;
  readonly breakEven: readonly PlannedBreakEven[];
  /** Of the first API, over users. */
  readonly series: readonly SeriesPoint[];
  readonly instance: {
    readonly id: string;
    readonly hourNanos: Nanos;
    readonly source: string;
    readonly checked: string | null;
  };
  readonly settings: Readonly<Record<SettingName, Figure | null>>;
}

/** As far as a break-even is looked for, at least. */
const usersLookedAt = 10_000;
const seriesUsers: readonly number[] = [10, 25, 50, 100, 250, 500, 1000];

export function planOf(question: PlanQuestion): Plan {
  const { apis, instance, localModel } = question;
  const settings = settingsFor(question.settings, instance);
  const demand = demandOf(settings);
  const month = monthOf(demand);
  const hosting = hostingOf(settings, instance);
  const fixed = fixedOf(settings);
  const localScore = localModel === null ? null : scoreOf(localModel);
  const shown = (id: string, kind: OptionKind, cost: MonthlyCost, quality: number | null, from: string) =>
    shownOption({ id, kind, cost, quality, from, queries: numberOf(month.queries) === 0 ? null : month.queries });
  const priceOf = (row: PriceRow) => `${row.id}, ${row.source}, ${row.checked}${withoutRates(row, demand)}`;
  const hourOf = `${instance.id}, ${instance.source}, ${instance.checked ?? "no day named"}`;
  const byApi = apis.map((row) =>
    shown(
      nameOf(row),
      "api",
      apiCost(demand, ratesFor(row, demand.promptTokens), fixed),
      scoreOf(row.model),
      priceOf(row),
    ),
  );
  const [first] = apis;
  const localPercent = settingOf(settings, "localPercent");
  const hybrid =
    first === undefined
      ? []
      : [
          shown(
            `${instance.id} + ${nameOf(first)}`,
            "hybrid",
            hybridCost(demand, { rates: ratesFor(first, demand.promptTokens), hosting, localPercent }),
            null,
            `${localPercent} % of the queries on ${instance.id}, the others at ${first.id}`,
          ),
        ];
  const boxes = gpusFor(demand, hosting.capacity);
  const box = ownBoxOf(settings, busyHoursPerDay(demand, hosting.capacity, boxes));
  const options = [
    ...byApi,
    shown(instance.id, "self_hosted", selfHostedCost(demand, hosting), localScore, hourOf),
    ...hybrid,
    shown(
      "own box",
      "own_box",
      ownBoxCost(box, boxes, hosting),
      localScore,
      `its price spread over months, and its power, idle included; as fast as ${instance.id}`,
    ),
  ];
  const cheapest = options.reduce((best, one) => (one.monthNanos < best.monthNanos ? one : best));
  return {
    demand: {
      users: demand.users,
      queriesPerMonth: numberOf(month.queries),
      promptTokensPerMonth: numberOf(month.promptTokens),
      completionTokensPerMonth: numberOf(month.completionTokens),
    },
    options,
    cheapest: cheapest.id,
    breakEven: apis.map((row) =>
      shownBreakEven(
        nameOf(row),
        breakEven({
          demand,
          rates: ratesFor(row, demand.promptTokens),
          fixed,
          hosting,
          upTo: Math.max(usersLookedAt, demand.users),
        }),
      ),
    ),
    series: first === undefined ? [] : seriesOf({ ...question, settings }, first),
    instance: {
      id: instance.id,
      hourNanos: usualHourNanos(instance),
      source: instance.source,
      checked: instance.checked,
    },
    settings,
  };
}

/** What was asked to be cheaper, and for which the list has no price: nothing is taken off then, and it is said. */
function withoutRates(row: PriceRow, { promptTokens, cachedPromptPercent, batchPercent }: Demand): string {
  const { cached, batch } = ratesFor(row, promptTokens);
  const missing = [
    ...(cachedPromptPercent > 0 && cached === null ? ["cached tokens"] : []),
    ...(batchPercent > 0 && batch === null ? ["batches"] : []),
  ];
  return missing.length === 0 ? "" : `; no price of ${missing.join(" and of ")}: nothing taken off`;
}

/** Of the book: provider and model. */
export function nameOf(row: PriceRow): string {
  return `${row.provider}/${row.model}`;
}

interface ShownParts {
  readonly id: string;
  readonly kind: OptionKind;
  readonly cost: MonthlyCost;
  readonly quality: number | null;
  readonly from: string;
  readonly queries: MonthlyCost["total"] | null;
}

function shownOption({ id, kind, cost, quality, from, queries }: ShownParts): PlannedOption {
  const year = times(cost.total, ratio(12));
  return {
    id,
    kind,
    tokensNanos: nanosOf(cost.tokens),
    machinesNanos: nanosOf(cost.machines),
    operationsNanos: nanosOf(cost.operations),
    surroundingsNanos: nanosOf(cost.surroundings),
    monthNanos: nanosOf(cost.total),
    yearNanos: nanosWithin(year),
    threeYearsNanos: nanosWithin(times(year, ratio(3))),
    perQueryNanos: queries === null ? null : nanosOf(over(cost.total, queries)),
    gpus: cost.gpus,
    quality,
    yearPerPointNanos: quality === null ? null : nanosOf(costPerPoint(year, quality)),
    basis: "estimated",
    from,
  };
}

function shownBreakEven(api: string, { crossings, alwaysFrom, lookedUpTo }: BreakEven): PlannedBreakEven {
  return {
    api,
    crossings: crossings.map((one) => ({
      users: one.users,
      at: Number(usersAt(one).toFixed(2)),
      gpus: one.gpus,
      costNanos: nanosOf(one.cost),
    })),
    alwaysFrom,
    lookedUpTo,
  };
}

function seriesOf({ settings, instance }: PlanQuestion, row: PriceRow): SeriesPoint[] {
  const demand = demandOf(settings);
  const hosting = hostingOf(settings, instance);
  const rates = ratesFor(row, demand.promptTokens);
  const localPercent = settingOf(settings, "localPercent");
  const counts = [...new Set([...seriesUsers, demand.users])].sort((left, right) => left - right);
  return counts.map((users) => {
    const asked = { ...demand, users };
    return {
      users,
      apiNanos: nanosOf(apiCost(asked, rates, fixedOf(settings)).total),
      selfHostedNanos: nanosOf(selfHostedCost(asked, hosting).total),
      hybridNanos: nanosOf(hybridCost(asked, { rates, hosting, localPercent }).total),
    };
  });
}
