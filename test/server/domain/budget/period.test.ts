import { expect, test } from "vitest";
import { daysThatCount, spanOf } from "../../../../server/domain/budget/period.ts";
import { addDays, dayOf, startOfDay } from "../../../../server/domain/day.ts";

const hoursOf = (day: string, zone: string) => (startOfDay(addDays(day, 1), zone) - startOfDay(day, zone)) / 3_600_000;

test("S-28 a day begins at midnight of its zone", () => {
  const startMs = startOfDay("2026-12-01", "Europe/Berlin");
  expect(new Date(startMs).toISOString()).toBe("2026-11-30T23:00:00.000Z");
  expect(dayOf(startMs, "Europe/Berlin")).toBe("2026-12-01");
  expect(dayOf(startMs - 1, "Europe/Berlin")).toBe("2026-11-30");
  expect(new Date(startOfDay("2026-12-01", "Pacific/Kiritimati")).toISOString()).toBe("2026-11-30T10:00:00.000Z");
  expect(new Date(startOfDay("2026-12-01", "Asia/Kathmandu")).toISOString()).toBe("2026-11-30T18:15:00.000Z");
});

test.each([
  ["2026-03-29", "Europe/Berlin", 23],
  ["2026-10-25", "Europe/Berlin", 25],
  ["2026-03-08", "America/New_York", 23],
  ["2026-11-01", "America/New_York", 25],
  ["2026-04-05", "Australia/Lord_Howe", 24.5],
  ["2026-11-26", "UTC", 24],
])("S-28 %s in %s has %d hours", (day, zone, hours) => {
  expect(hoursOf(day, zone)).toBe(hours);
});

test("S-28 a day whose midnight the clocks jump over begins at its first moment", () => {
  // In Beirut clocks go from 24:00 to 01:00 of the next day.
  const startMs = startOfDay("2022-03-27", "Asia/Beirut");
  expect(dayOf(startMs - 1, "Asia/Beirut")).toBe("2022-03-26");
  expect(dayOf(startMs, "Asia/Beirut")).toBe("2022-03-27");
  expect(hoursOf("2022-03-27", "Asia/Beirut")).toBe(23);
});

test("weeks begin on Monday, months on the first", () => {
  expect(spanOf("day", "2026-12-31")).toEqual({ from: "2026-12-31", until: "2027-01-01" });
  expect(spanOf("week", "2026-11-26")).toEqual({ from: "2026-11-23", until: "2026-11-30" });
  expect(spanOf("week", "2026-11-29")).toEqual({ from: "2026-11-23", until: "2026-11-30" });
  expect(spanOf("week", "2026-11-30")).toEqual({ from: "2026-11-30", until: "2026-12-07" });
  expect(spanOf("month", "2028-02-29")).toEqual({ from: "2028-02-01", until: "2028-03-01" });
  expect(spanOf("month", "2026-12-01")).toEqual({ from: "2026-12-01", until: "2027-01-01" });
});

test("all days that a period of today's may hold, also those of a week that began last month", () => {
  const days = daysThatCount("2026-10-02");
  expect([days[0], days.at(-1), days.length]).toEqual(["2026-09-28", "2026-10-02", 5]);
  expect(daysThatCount("2026-11-26")).toHaveLength(26);
});
