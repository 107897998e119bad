/** A budget as the settings and the admin API write it, as `domain/budget` knows it. Runs in the server. */
import { type Budget, parseBudgetOf } from "../domain/budget/budget.ts";
import type { Period } from "../domain/budget/period.ts";
import { nanosOfUsd } from "../domain/decimal.ts";
import { Failure } from "../domain/failure.ts";

/** An entry of `budgets.caps`. */
export interface BudgetSetting {
  /** US dollars in decimals: `"20"`, `"0.25"`. */
  readonly usd: string;
  /** `all`, `key:3`, `person:Jonas`, `alias:coder`, `provider:openai`; `person:*`: each has one. */
  readonly of: string;
  readonly every: Period;
  readonly hard: boolean;
  readonly warnAt: number;
}

/** Throws `invalid_request`. */
export function budgetOfSetting(name: string, setting: BudgetSetting): Budget {
  const of = parseBudgetOf(setting.of);
  if (of === null) throw new Failure("invalid_request", `The budget "${name}" is for nobody: "${setting.of}".`);
  const { every, hard, warnAt } = setting;
  return { name, of, every, hard, warnAt, limitNanos: nanosOfUsd(setting.usd) };
}
