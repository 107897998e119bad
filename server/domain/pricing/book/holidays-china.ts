/** Public holidays of China as its State Council announces them, a year at a time, each November. Data. */
import type { Holidays } from "../book.ts";

/** Weekends that are worked instead are left out: nothing is priced by them, weekends being off-peak anyway. */
export const holidaysChina: Holidays = Object.freeze({
  days: [
    ...["2026-01-01", "2026-01-02", "2026-01-03"],
    ...["2026-02-15", "2026-02-16", "2026-02-17", "2026-02-18", "2026-02-19"],
    ...["2026-02-20", "2026-02-21", "2026-02-22", "2026-02-23"],
    ...["2026-04-04", "2026-04-05", "2026-04-06"],
    ...["2026-05-01", "2026-05-02", "2026-05-03", "2026-05-04", "2026-05-05"],
    ...["2026-06-19", "2026-06-20", "2026-06-21"],
    ...["2026-09-25", "2026-09-26", "2026-09-27"],
    ...["2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04", "2026-10-05", "2026-10-06", "2026-10-07"],
  ],
  knownUntil: "2027-01-01",
});
