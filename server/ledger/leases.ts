/**
 * Leases in the ledger's file: the records, their history and what they cost. Runs on the server's thread. Written at once and not with
 * the next commit: what is meant must be in the file before a market is asked for it, or a crash leaves a machine that nobody knows.
 */
import type Database from "better-sqlite3";
import { z } from "zod";
import { Failure } from "../domain/failure.ts";
import type { Nanos } from "../domain/money.ts";
import type { BurnPiece } from "../domain/rental/burn.ts";
import { interruptionCauses, leaseStates } from "../domain/rental/lease.ts";
import type { Interruption, LeaseRecord } from "../domain/rental/lease-record.ts";
import { instanceStates, rentKinds } from "../domain/rental/market.ts";
import { createSettlementBook, recountSettled, type SettlementBook, settledIn } from "./lease-settlements.ts";

export interface LeaseBook extends SettlementBook {
  /** The first number that no lease has. */
  nextId(): number;
  /** Every lease that has not ended, and those that ended since; oldest first. */
  load(endedSinceMs: number): readonly LeaseRecord[];
  /** The record as it is now, its event where its state is another, and what was counted. One transaction. Throws `ledger_unavailable`. */
  write(lease: LeaseRecord, what: LeaseWriting): void;
  /** Pieces of one lease, oldest first. */
  pieces(lease: number): readonly BurnPiece[];
  /** What all leases cost in pieces that began in the time, as far as it is written; of days that are settled, what was billed. */
  spentIn(fromMs: number, untilMs: number): Nanos;
  /** By lease, as it was counted: for the comparison with bills. */
  burnIn(fromMs: number, untilMs: number): readonly LeaseBurn[];
  events(lease: number): readonly LeaseEvent[];
  interruptions(lease: number): readonly Interruption[];
}

export interface LeaseWriting {
  readonly pieces?: readonly BurnPiece[];
  /** The state it was in; null: it is new. Absent: it has not changed. */
  readonly from?: LeaseRecord["state"] | null;
  readonly interruption?: Interruption | null;
}

export interface LeaseEvent {
  readonly atMs: number;
  readonly state: LeaseRecord["state"];
  readonly reason: string;
  readonly words: string;
}

export interface LeaseBurn {
  readonly lease: number;
  readonly market: string;
  readonly instanceId: string | null;
  readonly nanos: Nanos;
  readonly unknownMs: number;
}

const nanos = z.int().min(0);
const rates = z.object({
  gpuPerHourNanos: nanos,
  storagePerHourNanos: nanos,
  stoppedStoragePerHourNanos: nanos,
  uploadPerGbNanos: nanos,
  downloadPerGbNanos: nanos,
});
const cap = nanos.nullable();
const atMs = z.number();

/** What is in the column `record`: all but what has a column of its own. */
const kept = z.object({
  wish: z.enum(["run", "stop", "end"]),
  wishReason: z.string(),
  kind: z.enum(rentKinds),
  bidPerHourNanos: nanos.nullable(),
  gpu: z.string(),
  gpuCount: z.int(),
  offerId: z.string(),
  quoted: rates,
  billed: rates.nullable(),
  terms: z
    .object({
      bootDeadlineMs: atMs,
      idleStopMs: atMs.nullable(),
      destroyAfterMs: atMs.nullable(),
      longestMs: atMs,
      caps: z.object({ perInstanceNanos: cap, perDayNanos: cap, perMonthNanos: cap }),
    })
    .nullable(),
  seen: z.object({ state: z.enum(instanceStates), words: z.string(), atMs: atMs.nullable() }),
  address: z.string().nullable(),
  bootSinceMs: atMs,
  usedAtMs: atMs,
  order: z
    .object({
      kind: z.enum(["create", "start", "stop", "destroy"]),
      atMs,
      tries: z.int(),
      heardAtMs: atMs.nullable().default(null),
    })
    .nullable(),
  missingSinceMs: atMs.nullable(),
  interruptions: z.int(),
  readyMs: z.number(),
});

interface Row {
  readonly id: number;
  readonly label: string;
  readonly market: string;
  readonly instance_id: string | null;
  readonly rental: string | null;
  readonly state: string;
  readonly since_ms: number;
  readonly reason: string;
  readonly created_at_ms: number;
  readonly ended_at_ms: number | null;
  readonly record: string;
}

function recordOf(row: Row): LeaseRecord {
  return {
    id: row.id,
    label: row.label,
    market: row.market,
    instanceId: row.instance_id,
    rental: row.rental,
    state: z.enum(leaseStates).parse(row.state),
    sinceMs: row.since_ms,
    reason: row.reason,
    createdAtMs: row.created_at_ms,
    endedAtMs: row.ended_at_ms,
    ...kept.parse(JSON.parse(row.record)),
  };
}

function pieceOf(row: Record<string, number>): BurnPiece {
  const of = (name: string) => row[name] ?? 0;
  return {
    fromMs: of("from_ms"),
    untilMs: of("until_ms"),
    gpuNanos: of("gpu_nanos"),
    storageNanos: of("storage_nanos"),
    trafficNanos: of("traffic_nanos"),
    usedNanos: of("used_nanos"),
    runningMs: of("running_ms"),
    stoppedMs: of("stopped_ms"),
    unknownMs: of("unknown_ms"),
    completionTokens: of("completion_tokens"),
  };
}

export function createLeaseBook(database: Database.Database): LeaseBook {
  const last = database.prepare<[], { last: number }>("SELECT coalesce(max(id), 0) AS last FROM leases");
  const load = database.prepare<[number], Row>(
    "SELECT * FROM leases WHERE state <> 'ended' OR ended_at_ms >= ? ORDER BY id",
  );
  const put = database.prepare(
    `INSERT INTO leases (id, label, market, instance_id, rental, state, since_ms, reason, created_at_ms, ended_at_ms, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET instance_id = excluded.instance_id, state = excluded.state, since_ms = excluded.since_ms,
       reason = excluded.reason, ended_at_ms = excluded.ended_at_ms, record = excluded.record`,
  );
  const putEvent = database.prepare(
    "INSERT INTO lease_events (lease, at_ms, state, reason, words) VALUES (?, ?, ?, ?, ?)",
  );
  const putInterruption = database.prepare(
    "INSERT INTO interruptions (lease, at_ms, cause, source, words) VALUES (?, ?, ?, ?, ?)",
  );
  const putPiece = database.prepare(
    `INSERT OR REPLACE INTO lease_burn (lease, from_ms, until_ms, gpu_nanos, storage_nanos, traffic_nanos, used_nanos,
       running_ms, stopped_ms, unknown_ms, completion_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const pieces = database.prepare<[number], Record<string, number>>(
    "SELECT * FROM lease_burn WHERE lease = ? ORDER BY from_ms",
  );
  const inTime = "from_ms >= ? AND from_ms < ?";
  const spent = database.prepare<[number, number], { nanos: number }>(
    `SELECT coalesce(sum(gpu_nanos + storage_nanos + traffic_nanos), 0) AS nanos FROM lease_burn WHERE ${inTime}`,
  );
  const burn = database.prepare<[number, number], LeaseBurn>(
    `SELECT b.lease, l.market, l.instance_id AS instanceId, sum(gpu_nanos + storage_nanos + traffic_nanos) AS nanos,
       sum(unknown_ms) AS unknownMs
     FROM lease_burn AS b JOIN leases AS l ON l.id = b.lease WHERE b.${inTime} GROUP BY b.lease ORDER BY b.lease`,
  );
  const events = database.prepare<[number], LeaseEvent>(
    "SELECT at_ms AS atMs, state, reason, words FROM lease_events WHERE lease = ? ORDER BY id",
  );
  const interruptions = database.prepare<[number], Interruption>(
    "SELECT lease, at_ms AS atMs, cause, source, words FROM interruptions WHERE lease = ? ORDER BY id",
  );

  const settled = settledIn(database);
  const recount = recountSettled(database);
  const write = database.transaction((lease: LeaseRecord, what: LeaseWriting) => {
    const { id, label, market, instanceId, rental, state, sinceMs, reason, createdAtMs, endedAtMs, ...rest } = lease;
    const whole = (ms: number | null) => (ms === null ? null : Math.round(ms));
    put.run(
      ...[id, label, market, instanceId, rental, state, whole(sinceMs), reason, whole(createdAtMs), whole(endedAtMs)],
      JSON.stringify(rest),
    );
    if (what.from !== undefined && what.from !== state) {
      putEvent.run(id, Math.round(sinceMs), state, reason, lease.seen.words.slice(0, 500));
    }
    const { interruption = null } = what;
    if (interruption !== null) {
      const { cause, source, words } = interruption;
      putInterruption.run(
        id,
        Math.round(interruption.atMs),
        z.enum(interruptionCauses).parse(cause),
        source,
        words.slice(0, 500),
      );
    }
    for (const piece of what.pieces ?? []) {
      if (piece.untilMs === piece.fromMs && piece.completionTokens === 0) continue;
      putPiece.run(
        ...[id, piece.fromMs, piece.untilMs, piece.gpuNanos, piece.storageNanos, piece.trafficNanos, piece.usedNanos],
        ...[piece.runningMs, piece.stoppedMs, piece.unknownMs, piece.completionTokens],
      );
    }
    recount(
      id,
      (what.pieces ?? []).map(({ fromMs }) => fromMs),
    );
  });

  return {
    ...createSettlementBook(database),
    nextId: () => (last.get()?.last ?? 0) + 1,
    load: (endedSinceMs) => load.all(Math.round(endedSinceMs)).map(recordOf),
    write(lease, what) {
      try {
        write.immediate(lease, what);
      } catch (cause) {
        throw new Failure("ledger_unavailable", "The ledger cannot be written at the moment.", { cause });
      }
    },
    pieces: (lease) => pieces.all(lease).map(pieceOf),
    spentIn: (fromMs, untilMs) => (spent.get(fromMs, untilMs)?.nanos ?? 0) + settled(fromMs, untilMs),
    burnIn: (fromMs, untilMs) => burn.all(fromMs, untilMs),
    events: (lease) => events.all(lease),
    interruptions: (lease) => interruptions.all(lease),
  };
}
