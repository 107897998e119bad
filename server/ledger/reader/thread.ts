/**
 * The reader thread: every report, export, backup and checkpoint runs here, so that none of them holds up a stream on the
 * server's thread. Runs in a worker_threads Worker with connections of its own; it never writes a row.
 */
import { chmodSync, closeSync, openSync } from "node:fs";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import type { OurDay } from "../../domain/reconcile/records.ts";
import { type BillDaysFilter, prepareBillDays } from "./bill-days.ts";
import { exportHeader, exportRows } from "./export-text.ts";
import type { MoneyQueries } from "../money-records.ts";
import { type LeaseQueries, prepareLeaseQueries } from "./leases.ts";
import { prepareMoneyQueries } from "./money.ts";
import { type Answered, type Asked, asText, type QuestionName, type Questions, type ReaderData } from "./protocol.ts";
import { type Queries, prepareQueries } from "./queries.ts";

const busyTimeoutMs = 5000;
/** Requests per page of an export: about 200 KB of text. */
const pageSize = 500;
/** Pages copied between two looks at the messages while a backup runs. */
const backupPages = 1000;

type Given<Name extends QuestionName> = Questions[Name]["given"];
type Answer<Name extends QuestionName> = Questions[Name]["answer"];

interface Connections {
  readonly path: string;
  readonly reading: Database.Database;
  readonly queries: Queries;
  readonly billDays: (filter: BillDaysFilter) => readonly OurDay[];
  readonly money: MoneyQueries;
  readonly leases: LeaseQueries;
  /** Checkpoints need a connection that may write. */
  readonly writing: Database.Database;
}

function connect(path: string): Connections {
  const reading = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  reading.pragma("query_only = ON");
  const writing = new Database(path, { fileMustExist: true, timeout: busyTimeoutMs });
  writing.pragma("synchronous = NORMAL");
  return {
    path,
    reading,
    queries: prepareQueries(reading),
    billDays: prepareBillDays(reading),
    money: prepareMoneyQueries(reading),
    leases: prepareLeaseQueries(reading),
    writing,
  };
}

function exportPage(queries: Queries, given: Given<"exportPage">): Answer<"exportPage"> {
  const upTo = given.upTo ?? queries.lastNumber();
  const { records, next } = queries.page(given.after, upTo, pageSize, given.filter);
  const header = given.upTo === null ? exportHeader(given.format) : "";
  return { text: header + exportRows(given.format, records), next, upTo };
}

function integrity(database: Database.Database): readonly string[] {
  const pages = database.prepare<[], { integrity_check: string }>("PRAGMA integrity_check").all();
  const references = database.prepare<[], { table: string }>("PRAGMA foreign_key_check").all();
  return [
    ...pages.map((row) => row.integrity_check).filter((line) => line !== "ok"),
    ...references.map((row) => `a row of ${row.table} refers to one that is not there`),
  ];
}

/**
 * On a connection of its own, whose reading transaction lasts as long as the copy does: a copy of a file that others write to
 * meanwhile would start over at each of their commits, and never end. Between its steps the other questions are answered.
 */
async function backup(path: string, destination: string): Promise<null> {
  closeSync(openSync(destination, "a", 0o600));
  chmodSync(destination, 0o600);
  const source = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  try {
    source.exec("BEGIN");
    source.prepare("SELECT count(*) FROM rows_kept").get();
    await source.backup(destination, { progress: () => backupPages });
  } finally {
    source.close();
  }
  return null;
}

function answer(connections: Connections, asked: Asked): unknown {
  const { reading, queries, money, writing } = connections;
  switch (asked.name) {
    case "summary":
      return queries.summary(asked.given);
    case "show":
      return queries.show(asked.given);
    case "recent":
      return queries.recent(asked.given.limit, asked.given.filter, asked.given.before);
    case "exportPage":
      return exportPage(queries, asked.given);
    case "billDays":
      return connections.billDays(asked.given);
    case "savingsPage":
      return money.savingsPage(asked.given);
    case "power":
      return money.power(asked.given);
    case "spent":
      return money.spent(asked.given);
    case "rowsFromMs":
      return money.rowsFromMs();
    case "firstRequestMs":
      return money.firstRequestMs();
    case "largestLocalTokens":
      return money.largestLocalTokens(asked.given);
    case "leaseHistory":
      return connections.leases.history(asked.given);
    case "leaseSteadiness":
      return connections.leases.steadiness(asked.given);
    case "leaseBurn":
      return connections.leases.burn(asked.given);
    case "integrity":
      return integrity(reading);
    case "backup":
      return backup(connections.path, asked.given);
    case "checkpoint":
      writing.pragma("wal_checkpoint(PASSIVE)");
      return null;
    case "close":
      reading.close();
      writing.close();
      return null;
  }
}

function serve(port: MessagePort, connections: Connections): void {
  port.on("message", async (asked: Asked) => {
    let reply: Answered;
    try {
      const found = (await answer(connections, asked)) as Answer<QuestionName>;
      reply = asText.has(asked.name) ? { id: asked.id, text: JSON.stringify(found) } : { id: asked.id, answer: found };
    } catch (error) {
      reply = { id: asked.id, problem: error instanceof Error ? error.message : String(error) };
    }
    port.postMessage(reply);
    if (asked.name === "close") port.close();
  });
}

// Without a parent port this file was only imported, and does nothing.
if (parentPort !== null) serve(parentPort, connect((workerData as ReaderData).path));
