import { expect, test } from "vitest";
import { sumOfCosts } from "../../../server/domain/cost-sum.ts";
import type { Cost } from "../../../server/domain/money.ts";

const known = (nanos: number, basis: "billed" | "estimated" | "measured"): Cost => ({ known: true, nanos, basis });
const local: Cost = { known: false, reason: "not_priced" };
const priceless: Cost = { known: false, reason: "unknown_price" };

test.each<[string, Cost[], Cost, number, number]>([
  ["nothing", [], local, 0, 0],
  ["one", [known(5, "billed")], known(5, "billed"), 5, 0],
  ["billed and estimated: an estimate", [known(5, "billed"), known(7, "estimated")], known(12, "estimated"), 12, 0],
  ["billed and measured: measured", [known(5, "billed"), known(7, "measured")], known(12, "measured"), 12, 0],
  ["a local part: unknown, and what is known stays", [local, known(7, "billed")], local, 7, 1],
  ["a part without a price is what is named", [local, priceless, known(7, "billed")], priceless, 7, 2],
  ["nothing charged is known to be 0", [known(0, "estimated")], known(0, "estimated"), 0, 0],
])("S-27 %s", (_name, costs, cost, knownNanos, unknownParts) => {
  expect(sumOfCosts(costs)).toEqual({ cost, knownNanos, unknownParts });
});
