/** Joins the budgets to a box: the ledger's rows, the settings and their file, the record that somebody asked for. Server process. */
import { resolve } from "node:path";
import type { Config } from "../config/schema.ts";
import { writeSetting } from "../config/write.ts";
import { chosenZone } from "../config/zone-setting.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { openBudgetRecord } from "./budget-record.ts";
import { type BudgetPorts, type Budgets, createBudgets } from "./budgets.ts";

export interface BudgetJoin extends Pick<BudgetPorts, "clock" | "log" | "publish" | "pricing" | "localModels"> {
  readonly settings: Config;
  readonly paths: { readonly home: string; readonly config: string };
  readonly ledger: Pick<Ledger, "spentIn">;
}

export interface OpenBudgets extends Budgets {
  /** For routing rules: share that is left of a caller's budgets, by `callerId` and name. */
  leftOf(callerId: string, callerName: string): number | null;
}

export function openBudgets({ settings, paths, ledger, ...ports }: BudgetJoin): OpenBudgets {
  const { record, ...own } = settings.budgets;
  const { log } = ports;
  const budgets = createBudgets({
    ...ports,
    settings: { ...own, zone: chosenZone(settings.zone) },
    spentIn: (day, fromMs, toMs) =>
      ledger.spentIn(fromMs, toMs).map(({ spentNanos, overrunNanos, ...spender }) => {
        return { spender, day, spentNanos, overrunNanos };
      }),
    writeSetting: (name, value) => writeSetting(paths.config, ["budgets", "caps", name], value),
    record:
      record === ""
        ? null
        : openBudgetRecord(resolve(paths.home, record), (err) => log.error({ err }, "budgets cannot be recorded")),
  });
  return {
    ...budgets,
    leftOf: (callerId, person) => budgets.left({ keyId: keyIdOf(callerId), person }),
  };
}

/** `key:3` → 3. */
function keyIdOf(callerId: string): number | null {
  const id = callerId.slice(callerId.indexOf(":") + 1);
  return id === "" ? null : Number(id);
}
