/** What is asked for in a month: users, their queries, and the tokens of those. Pure. */
import { minus, one, percent, type Ratio, ratio, times } from "./ratio.ts";

export interface Demand {
  readonly users: number;
  readonly queriesPerUserDay: number;
  readonly daysPerMonth: number;
  /** Of one query, what stands before the answer included. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of all queries, those whose answer is already there: they cost nothing. */
  readonly answersFromCachePercent: number;
  /** Of the prompt's tokens, those a provider reads from its prefix cache. */
  readonly cachedPromptPercent: number;
  /** Of all queries, those that may wait a day for half the price. */
  readonly batchPercent: number;
}

export interface MonthlyDemand {
  readonly queriesPerDay: Ratio;
  readonly queries: Ratio;
  /** Of the queries, those that reach a model. */
  readonly computedQueries: Ratio;
  readonly promptTokens: Ratio;
  readonly completionTokens: Ratio;
}

/** Queries and tokens of one month; tokens of answers that come from a cache are not in it. */
export function monthOf(demand: Demand): MonthlyDemand {
  const queriesPerDay = times(ratio(demand.users), ratio(demand.queriesPerUserDay));
  const queries = times(queriesPerDay, ratio(demand.daysPerMonth));
  const computedQueries = times(queries, minus(one, percent(demand.answersFromCachePercent)));
  return {
    queriesPerDay,
    queries,
    computedQueries,
    promptTokens: times(computedQueries, ratio(demand.promptTokens)),
    completionTokens: times(computedQueries, ratio(demand.completionTokens)),
  };
}
