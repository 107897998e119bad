/** A simulated month in a real ledger file, counted once more by other means. */
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { month } from "../support/month/month.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a month's savings by cause, its power bill and its idle time are what is counted by hand", async () => {
  const { differences, savings, power, forecast, cameToNanos } = await month({
    ...{ seed: 1, each: 40, folder: temporaryFolder() },
  });
  expect(differences).toEqual([]);
  const [only] = savings.months;
  // Every cause has something to say, and a box that idles all month loses.
  expect(only?.by).toMatchObject({ billing: 0 });
  expect(Object.entries(only?.by ?? {}).filter(([, nanos]) => nanos === 0)).toEqual([["billing", 0]]);
  expect(only?.savedNanos).toBeLessThan(0);
  expect(only?.unknown.requests).toBeGreaterThan(0);
  expect(only?.advice.map(({ task }) => task).sort()).toEqual(["code-review", "extraction", "summaries"]);
  expect(power.days).toHaveLength(31);
  expect(forecast).toMatchObject({ month: "2026-10", days: 22 });
  expect(Math.abs((forecast.expectedNanos ?? 0) / cameToNanos - 1)).toBeLessThan(0.05);
}, 120_000);

test("one nano-USD that is booked wrong is found", async () => {
  const { differences } = await month({
    ...{ seed: 2, each: 12, days: 3, folder: temporaryFolder() },
    spoil: (path) => {
      const database = new Database(path);
      database.exec(
        `UPDATE attempts SET cost_nanos = cost_nanos + 1 WHERE (request, number) =
           (SELECT request, number FROM attempts WHERE provider = 'vendor' AND cost_nanos > 0 ORDER BY request LIMIT 1)`,
      );
      database.close();
    },
  });
  expect(differences).toHaveLength(4);
  expect(differences[0]).toMatch(/^actual: the report says \d+, by hand it is \d+$/);
}, 120_000);
