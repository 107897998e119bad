/**
 * The ledger as the rooms above see it: one file, one writer, one reader thread. Runs on the server's thread, or in a
 * command that holds the data lock.
 */
import type { Clock, Log } from "../domain/ports.ts";
import type { BatchRecords } from "../domain/batch.ts";
import { createBatchRecords } from "./batches.ts";
import { createCheckpoints } from "./checkpoint.ts";
import { type CopiesLedger, createCopiesLedger } from "./copies.ts";
import { createFeedbackStore } from "./feedback.ts";
import { createFolding, prepareFold } from "./fold.ts";
import { prepareRollUp } from "./roll-up.ts";
import { type KeyStore, createKeyStore } from "./keys.ts";
import { openDatabase } from "./open.ts";
import { createProviderKeyStore, type ProviderKeyStore } from "./provider-keys.ts";
import { createLeaseReports, type LeaseReports } from "./lease-reports.ts";
import { createLeaseBook, type LeaseBook } from "./leases.ts";
import { createPriceBook, type PriceBook } from "./market-prices.ts";
import { createReaderLink } from "./reader/link.ts";
import { closeInterrupted } from "./recover.ts";
import type { FeedbackStore } from "../domain/feedback.ts";
import type { StoredResponses } from "../domain/stored-response.ts";
import { createSpentIn, type SpentIn } from "./spent.ts";
import { createStoredResponses } from "./stored-responses.ts";
import { createMoneyReports, type MoneyReports } from "./money-reports.ts";
import { createPowerBook, type PowerBook } from "./power.ts";
import { type Reports, createReports } from "./reports.ts";
import { prepareRemoval, startRetention } from "./retention.ts";
import { prepareStatements } from "./statements.ts";
import { type LedgerWriter, createWriter } from "./writer.ts";

export interface Ledger {
  readonly writer: LedgerWriter;
  readonly keys: KeyStore;
  /** Answers that clients asked to be kept. */
  readonly responses: StoredResponses;
  readonly feedback: FeedbackStore;
  readonly copies: CopiesLedger;
  readonly batches: BatchRecords;
  readonly providerKeys: ProviderKeyStore;
  readonly reports: Reports;
  /** For budgets. Reads on the server's own thread: at the start only. */
  readonly spentIn: SpentIn;
  /** What was saved, what will be spent, what the box itself cost. */
  readonly money: MoneyReports;
  /** Intervals of the box's own meter. */
  readonly power: PowerBook;
  /** Rented machines. */
  readonly leases: LeaseBook;
  readonly leaseReports: LeaseReports;
  /** What rental markets asked. */
  readonly marketPrices: PriceBook;
  /** Requests that a killed process had left open; they are `interrupted` now. */
  readonly recovered: number;
  /** Writes what waits, answers what was asked, closes the file. */
  close(): Promise<void>;
}

/** Opens or creates the file at `path`; the caller holds the data lock. Throws Failure `cannot_start`. */
export function openLedger(
  path: string,
  // `keepDays`: single requests are removed after so many; 0 or absent: never.
  ports: { readonly clock: Clock; readonly log: Log; readonly keepDays?: number },
): Ledger {
  const { clock, log, keepDays = 0 } = ports;
  const database = openDatabase(path);
  const recovered = closeInterrupted(database);
  if (recovered > 0) log.warn({ requests: recovered }, "closed requests that the last run left open");
  const link = createReaderLink(path);
  const checkpoints = createCheckpoints(link, clock, log);
  const folding = createFolding(prepareFold(database), prepareRollUp(database), clock, log);
  // What the last run, or a migration, left to fold.
  folding.due();
  const retention = startRetention(prepareRemoval(database), { clock, log, keepDays });
  const writer = createWriter({
    statements: prepareStatements(database),
    clock,
    log,
    onCommit() {
      checkpoints.due();
      folding.due();
    },
  });
  return {
    writer,
    keys: createKeyStore(database, writer.touchKey),
    responses: createStoredResponses(database),
    feedback: createFeedbackStore(database),
    copies: createCopiesLedger(database),
    batches: createBatchRecords(database),
    providerKeys: createProviderKeyStore(database),
    reports: createReports(link),
    spentIn: createSpentIn(database),
    money: createMoneyReports(link),
    power: createPowerBook(database, writer),
    leases: createLeaseBook(database),
    leaseReports: createLeaseReports(link),
    marketPrices: createPriceBook(database),
    recovered,
    async close() {
      writer.stop();
      checkpoints.stop();
      folding.stop();
      retention.stop();
      await link.close();
      // The last connection to close moves the write-ahead log into the file and removes it.
      database.close();
    },
  };
}
