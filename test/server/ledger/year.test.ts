import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../../server/ledger/open.ts";
import type { ReportFilter } from "../../../server/ledger/records.ts";
import { prepareQueries } from "../../../server/ledger/reader/queries.ts";
import { fill } from "../../bench/ledger/build.ts";
import { yearBeginMs, yearOfRequests } from "../../bench/ledger/year.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { freshSum } from "./fresh-sum.ts";

const rows = 5000;
const dayMs = 86_400_000;

test("S-27 a skewed year, as bench:ledger builds it: header, rows and sums agree for every filter", () => {
  const database = openDatabase(join(temporaryFolder(), "ledger.db"));
  onTestFinished(() => void database.close());
  fill(database, yearOfRequests(rows, 1), rows, () => {});
  const queries = prepareQueries(database);
  const filters: readonly ReportFilter[] = [
    {},
    { keyId: 1 },
    { keyId: 200 },
    { fromMs: yearBeginMs + 100.3 * dayMs },
    { toMs: yearBeginMs + 200 * dayMs, keyId: 3 },
    { fromMs: yearBeginMs + 30.77 * dayMs, toMs: yearBeginMs + 61.02 * dayMs },
    { fromMs: yearBeginMs + 30.77 * dayMs, toMs: yearBeginMs + 61.02 * dayMs, keyId: 2 },
  ];
  for (const filter of filters) {
    const { total, ...rest } = queries.summary(filter);
    expect({ total, ...rest }).toEqual(freshSum(database, filter));
    const { records, next } = queries.page(null, rows, rows + 1, filter);
    expect(next).toBeNull();
    expect(records.length).toBe(total.requests);
    expect(records.reduce((sum, { knownCostNanos }) => sum + knownCostNanos, 0)).toBe(total.knownCostNanos);
  }
  const { total, byStatus } = queries.summary({});
  expect(total.requests).toBe(rows);
  expect(byStatus.failed / rows).toBeCloseTo(0.03, 2);
});
