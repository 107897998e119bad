/** What a month's tokens cost at a provider. Pure; exact, in fractions of nano-USD. */
import type { Fraction, PriceRow } from "../pricing/book.ts";
import { tierOf } from "../pricing/cost.ts";
import { type Demand, monthOf } from "./demand.ts";
import { minus, one, over, percent, plus, type Ratio, ratio, times } from "./ratio.ts";

/** The rates of one query's size. Pico-USD per token. */
export interface TokenRates {
  readonly prompt: number;
  readonly completion: number;
  /** Null: none is known, and the prompt's is taken. */
  readonly cached: number | null;
  /** Factor on everything that may wait; null: no such service is known, and nothing is taken off. */
  readonly batch: Fraction | null;
}

/** The rates of a row for prompts of that many tokens. Windows of the day are left out: a plan is not for an hour. */
export function ratesFor(row: PriceRow, promptTokens: number): TokenRates {
  const rates = tierOf(row.rates, row.long, promptTokens);
  const batch = row.services.batch;
  return {
    prompt: rates.prompt,
    completion: rates.completion,
    cached: rates.cached ?? null,
    batch: batch !== undefined && !("rates" in batch) ? batch : null,
  };
}

const picosPerNano = ratio(1000);

/** Tokens at so many pico-USD each. */
export function costOfTokens(tokens: Ratio, picosEach: number): Ratio {
  return over(times(tokens, ratio(picosEach)), picosPerNano);
}

/** All tokens of the month. Twice the users are exactly twice the cost. */
export function tokenCost(demand: Demand, rates: TokenRates): Ratio {
  const { promptTokens, completionTokens } = monthOf(demand);
  const cachedShare = percent(demand.cachedPromptPercent);
  const whole = plus(
    costOfTokens(times(promptTokens, minus(one, cachedShare)), rates.prompt),
    costOfTokens(times(promptTokens, cachedShare), rates.cached ?? rates.prompt),
    costOfTokens(completionTokens, rates.completion),
  );
  const batchShare = percent(demand.batchPercent);
  const factor = rates.batch === null ? one : ratio(rates.batch.numerator, rates.batch.denominator);
  return times(whole, plus(minus(one, batchShare), times(batchShare, factor)));
}
