/** Reports about money as this box is set up: its zone, its baseline, its prices. Runs where the ledger does. */
import { dayOf } from "../domain/day.ts";
import { Failure } from "../domain/failure.ts";
import type { PriceRow } from "../domain/pricing/book.ts";
import type { ForecastReport, PowerReport, SavingsReport } from "./money-records.ts";
import type { MoneyReports } from "./money-reports.ts";

/** `savings` of the settings. */
export interface SavingsSetting {
  readonly provider: string;
  readonly model: string;
  readonly cacheHits: "none" | "same";
}

export interface MoneyDeskParts {
  readonly reports: MoneyReports;
  readonly setting: SavingsSetting;
  /** Where days and months begin; null: the machine's own. */
  readonly zone: string | null;
  /** The owner's own prices. */
  readonly overrides: readonly PriceRow[];
  readonly clock: { now(): number };
  /** Tokens that the roomiest local model has for one request; null: nobody serves any now. */
  localContext(): number | null;
}

/** A month is `2026-11`; null: the one that runs, and for savings every month. Rejects as the reports do. */
export interface MoneyDesk {
  /** Rejects with `invalid_request` where no baseline is chosen. */
  savings(month: string | null): Promise<SavingsReport>;
  power(month: string | null): Promise<PowerReport>;
  forecast(): Promise<ForecastReport>;
}

export function createMoneyDesk({ reports, setting, zone, overrides, clock, localContext }: MoneyDeskParts): MoneyDesk {
  const { provider, model, cacheHits } = setting;
  return {
    async savings(month) {
      if (provider === "" || model === "") {
        throw new Failure("invalid_request", "No baseline is chosen to compare with.", {
          why: "Savings are against all of it on one model of one provider: savings.provider and savings.model.",
          next: ["LANTHORN_SAVINGS_PROVIDER=anthropic LANTHORN_SAVINGS_MODEL=claude-haiku-4-5 lanthorn serve"],
        });
      }
      const baseline = { provider, model, cacheHits };
      return reports.savings({
        ...{ month, zone, nowMs: clock.now(), baseline, overrides },
        localContext: localContext(),
      });
    },
    power: (month) => reports.power({ month: month ?? dayOf(clock.now(), zone).slice(0, 7), zone }),
    forecast: () => reports.forecast({ zone, nowMs: clock.now() }),
  };
}

/** The roomiest of them that chat; null: there is none. */
export function roomiest(
  models: readonly { readonly capabilities: readonly string[]; readonly contextLength: number }[],
): number | null {
  const rooms = models.filter(({ capabilities }) => capabilities.includes("chat")).map((one) => one.contextLength);
  return rooms.length === 0 ? null : Math.max(...rooms);
}
