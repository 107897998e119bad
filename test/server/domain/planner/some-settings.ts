/** A question of a plan for tests: the deployment guide's example, and what a test changes in it. */
import { guidePrices } from "../../../../server/domain/planner/guide-prices.ts";
import { instanceOf } from "../../../../server/domain/planner/instances/index.ts";
import type { PlanQuestion } from "../../../../server/domain/planner/plan.ts";
import { type SettingName, settle } from "../../../../server/domain/planner/settings.ts";
import { rowsOf } from "../../../../server/domain/pricing/book.ts";

export function guideRow(model: string) {
  const row = rowsOf(guidePrices).find((one) => one.model === model);
  if (row === undefined) throw new Error(`no ${model}`);
  return row;
}

export function listedInstance(id: string) {
  const found = instanceOf(id);
  if (found === null) throw new Error(`no ${id}`);
  return found;
}

export function someQuestion(given: Partial<Record<SettingName, number>> = {}, model = "gpt-4"): PlanQuestion {
  return {
    settings: settle(given, {}),
    apis: [guideRow(model)],
    instance: listedInstance("aws/g4dn.2xlarge"),
    localModel: "mistral-7b",
  };
}
