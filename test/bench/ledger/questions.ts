/** What the admin API asks the ledger: every report and page, with every filter, at random places of the year. */
import type { Ledger } from "../../../server/ledger/ledger.ts";
import type { Random } from "../../support/random.ts";
import { keyCount, yearBeginMs, yearMs } from "./year.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export interface Question {
  readonly name: string;
  ask(): Promise<unknown>;
}

/** `idAt` gives the id of a request somewhere in the year. */
export function questions(ledger: Ledger, random: Random, idAt: (share: number) => string): readonly Question[] {
  const { reports } = ledger;
  const moment = (): number => yearBeginMs + random.below(yearMs);
  /** Midnights of a zone whose days begin at half past. */
  const midnight = (): number => Math.floor(moment() / dayMs) * dayMs + 18.5 * hourMs;
  // Half of the questions are about the ten busiest keys.
  const key = (): number => 1 + (random.chance(0.5) ? random.below(10) : random.below(keyCount));
  const between = (make: () => number) => {
    const [one, other] = [make(), make()];
    return { fromMs: Math.min(one, other), toMs: Math.max(one, other) + 1 };
  };
  const month = () => {
    const fromMs = midnight();
    return { fromMs, toMs: fromMs + 30 * dayMs };
  };
  return [
    { name: "summary, everything", ask: () => reports.summary() },
    { name: "summary, from then to then", ask: () => reports.summary(between(moment)) },
    { name: "summary, a month", ask: () => reports.summary(month()) },
    { name: "summary, since a moment", ask: () => reports.summary({ fromMs: moment() }) },
    { name: "summary, one key, everything", ask: () => reports.summary({ keyId: key() }) },
    { name: "summary, one key, from then to then", ask: () => reports.summary({ keyId: key(), ...between(moment) }) },
    { name: "summary, one key, a month", ask: () => reports.summary({ keyId: key(), ...month() }) },
    { name: "newest 50", ask: () => reports.recent(50) },
    { name: "newest 1,000", ask: () => reports.recent(1000) },
    { name: "50 before one", ask: () => reports.recent(50, {}, idAt(random.number())) },
    { name: "50 of a month", ask: () => reports.recent(50, month()) },
    { name: "50 of one key", ask: () => reports.recent(50, { keyId: key() }) },
    { name: "50 of one key in a month", ask: () => reports.recent(50, { keyId: key(), ...month() }) },
    {
      name: "50 of one key before one",
      ask: () => reports.recent(50, { keyId: key() }, idAt(random.number())),
    },
    { name: "one request", ask: () => reports.show(idAt(random.number())) },
    { name: "an export's first page", ask: () => firstPiece(reports.export("csv", between(moment))) },
    {
      name: "an export's first page, one key",
      ask: () => firstPiece(reports.export("jsonl", { keyId: key(), ...between(moment) })),
    },
  ];
}

async function firstPiece(pieces: AsyncIterable<string>): Promise<string> {
  for await (const piece of pieces) return piece;
  return "";
}
