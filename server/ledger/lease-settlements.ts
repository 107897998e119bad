/**
 * What markets have billed for leases, by day (UTC), in the ledger's file. Runs on the server's thread. A settled day counts as it was
 * billed wherever money of leases is summed; our own count stays beside it.
 */
import type Database from "better-sqlite3";
import { addDays, type Day, dayMs, startOfUtcDay, utcDayOf } from "../domain/day.ts";
import { Failure } from "../domain/failure.ts";
import type { Nanos } from "../domain/money.ts";

export interface LeaseSettlement {
  readonly lease: number;
  readonly day: Day;
  /** As the ledger counted it. */
  readonly countedNanos: Nanos;
  readonly billedNanos: Nanos;
  /** When the bill said so; epoch milliseconds. */
  readonly atMs: number;
}

export interface SettlementBook {
  /** Takes over what was billed; a later bill replaces an earlier one. One transaction. Throws `ledger_unavailable`. */
  settle(settlements: readonly LeaseSettlement[]): void;
  /** Days from and to, both included. */
  settlements(from: Day, to: Day): readonly LeaseSettlement[];
  /** Billed less counted, over all settled days of a lease. Signed. */
  settledOf(lease: number): Nanos;
  /** Days from and to, both included, on which a lease at this market has cost something that is not settled; oldest first. */
  unsettledDays(market: string, from: Day, to: Day): readonly Day[];
  /** The lease that had that instance; null: none of ours. */
  leaseOf(market: string, instanceId: string): number | null;
}

const cost = "gpu_nanos + storage_nanos + traffic_nanos";
/** Where days begin elsewhere than in UTC, a settled day belongs to the one that its noon is in: no sum has it twice, or not at all. */
const noonMs = dayMs / 2;

export function createSettlementBook(database: Database.Database): SettlementBook {
  const put = database.prepare(
    `INSERT INTO lease_settlements (lease, day, counted_nanos, billed_nanos, at_ms) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (lease, day) DO UPDATE SET counted_nanos = excluded.counted_nanos, billed_nanos = excluded.billed_nanos,
       at_ms = excluded.at_ms`,
  );
  const list = database.prepare<[Day, Day], LeaseSettlement>(
    `SELECT lease, day, counted_nanos AS countedNanos, billed_nanos AS billedNanos, at_ms AS atMs FROM lease_settlements
     WHERE day >= ? AND day <= ? ORDER BY day, lease`,
  );
  const ofLease = database.prepare<[number], { nanos: number }>(
    "SELECT coalesce(sum(billed_nanos - counted_nanos), 0) AS nanos FROM lease_settlements WHERE lease = ?",
  );
  const unsettled = database.prepare<[string, number, number], { day: Day }>(
    `SELECT DISTINCT day FROM (
       SELECT b.lease, date(b.from_ms / 1000, 'unixepoch') AS day FROM lease_burn AS b JOIN leases AS l ON l.id = b.lease
       WHERE l.market = ? AND l.instance_id IS NOT NULL AND b.from_ms >= ? AND b.from_ms < ? AND ${cost} > 0) AS burnt
     WHERE NOT EXISTS (SELECT 1 FROM lease_settlements AS s WHERE s.lease = burnt.lease AND s.day = burnt.day) ORDER BY day`,
  );
  const byInstance = database.prepare<[string, string], { id: number }>(
    "SELECT id FROM leases WHERE market = ? AND instance_id = ? ORDER BY id DESC LIMIT 1",
  );
  const write = database.transaction((settlements: readonly LeaseSettlement[]) => {
    for (const { lease, day, countedNanos, billedNanos, atMs } of settlements)
      put.run(lease, day, countedNanos, billedNanos, Math.round(atMs));
  });
  return {
    settle(settlements) {
      try {
        write.immediate(settlements);
      } catch (cause) {
        throw new Failure("ledger_unavailable", "The ledger cannot be written at the moment.", { cause });
      }
    },
    settlements: (from, to) => list.all(from, to),
    settledOf: (lease) => ofLease.get(lease)?.nanos ?? 0,
    unsettledDays: (market, from, to) =>
      unsettled.all(market, startOfUtcDay(from), startOfUtcDay(addDays(to, 1))).map(({ day }) => day),
    leaseOf: (market, instanceId) => byInstance.get(market, instanceId)?.id ?? null,
  };
}

/** Billed less counted, of the settled days that belong to a time. */
export function settledIn(database: Database.Database): (fromMs: number, untilMs: number) => Nanos {
  const sum = database.prepare<[Day, Day], { nanos: number }>(
    "SELECT coalesce(sum(billed_nanos - counted_nanos), 0) AS nanos FROM lease_settlements WHERE day >= ? AND day < ?",
  );
  return (fromMs, untilMs) => sum.get(...settledDays(fromMs, untilMs))?.nanos ?? 0;
}

/** The settled days that belong to a time in epoch milliseconds, the second not included. */
export function settledDays(fromMs: number, untilMs: number): readonly [from: Day, until: Day] {
  const firstNoonFrom = (ms: number) => utcDayOf(ms - noonMs + dayMs - 1);
  return [firstNoonFrom(fromMs), firstNoonFrom(untilMs)];
}

/** Within the transaction that writes pieces: a day that was settled already may have been counted anew. */
export function recountSettled(database: Database.Database): (lease: number, pieces: Iterable<number>) => void {
  const update = database.prepare(
    `UPDATE lease_settlements SET counted_nanos = (SELECT coalesce(sum(${cost}), 0) FROM lease_burn
       WHERE lease = lease_settlements.lease AND from_ms >= ? AND from_ms < ?) WHERE lease = ? AND day = ?`,
  );
  return (lease, pieces) => {
    for (const day of new Set([...pieces].map((fromMs) => utcDayOf(fromMs)))) {
      const fromMs = startOfUtcDay(day);
      update.run(fromMs, fromMs + dayMs, lease, day);
    }
  };
}
