/** Which days and months the burn is told for, and how many at most. */
import { expect, test } from "vitest";
import { burnPeriods } from "../../../../server/domain/rental/burn-periods.ts";

const today = "2026-11-27";
const open = { from: null, to: null };

test("days: the last 31, or those that were asked for; a month stands for all of its days", () => {
  const usual = burnPeriods({ by: "day", ...open }, today);
  expect(usual).toHaveLength(31);
  expect(usual[0]).toEqual({ period: "2026-10-28", from: "2026-10-28", until: "2026-10-29" });
  expect(usual.at(-1)?.period).toBe(today);
  const february = burnPeriods({ by: "day", from: "2028-02", to: "2028-02" }, today);
  expect(february).toHaveLength(29);
});

test("months are whole ones, twelve where nothing is said; over the turn of the year too", () => {
  const usual = burnPeriods({ by: "month", ...open }, today);
  expect([usual.length, usual[0]?.period, usual.at(-1)]).toEqual([
    ...[12, "2025-12"],
    { period: "2026-11", from: "2026-11-01", until: "2026-12-01" },
  ]);
});

test("leases: the very days that were asked for, read month by month", () => {
  expect(burnPeriods({ by: "lease", from: "2026-10-20", to: "2026-11-05" }, today)).toEqual([
    { period: "2026-10", from: "2026-10-20", until: "2026-11-01" },
    { period: "2026-11", from: "2026-11-01", until: "2026-11-06" },
  ]);
  expect(burnPeriods({ by: "lease", ...open }, today)).toEqual([
    { period: "2026-11", from: "2026-11-01", until: "2026-11-28" },
  ]);
});

test("92 days and 36 months are told, more are refused at once, and so is what is no day or ends before it begins", () => {
  expect(burnPeriods({ by: "day", from: "2026-08-28", to: null }, today)).toHaveLength(92);
  expect(burnPeriods({ by: "month", from: "2023-12", to: null }, today)).toHaveLength(36);
  const refused = [
    { by: "day", from: "2026-08-27", to: null },
    { by: "month", from: "2023-11-30", to: null },
    { by: "lease", from: "0001-01-01", to: null },
    { by: "day", from: "2026-11-31", to: null },
    { by: "month", from: "2026-13", to: null },
    { by: "day", from: "2026-11-28", to: null },
  ] as const;
  for (const range of refused) {
    expect(() => burnPeriods(range, today), range.from).toThrow(
      expect.objectContaining({ code: "invalid_request", param: "from" }),
    );
  }
});
