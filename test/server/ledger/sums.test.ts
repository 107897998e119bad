import { join } from "node:path";
import type Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { createFeedbackStore } from "../../../server/ledger/feedback.ts";
import { prepareFold } from "../../../server/ledger/fold.ts";
import { migrationsOnDisk } from "../../../server/ledger/migrations.ts";
import { openDatabase } from "../../../server/ledger/open.ts";
import type { ReportFilter } from "../../../server/ledger/records.ts";
import { prepareSummary } from "../../../server/ledger/reader/summary.ts";
import { closeInterrupted } from "../../../server/ledger/recover.ts";
import { prepareRollUp } from "../../../server/ledger/roll-up.ts";
import { prepareStatements, type Statements } from "../../../server/ledger/statements.ts";
import { addedUp, attemptSums, columnNames, requestSums } from "../../../server/ledger/sum-columns.ts";
import { type Random, seeded } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { freshSum } from "./fresh-sum.ts";
import { attempt, attemptEnding, ending, opening } from "./rows.ts";

const hour = 3_600_000;
const day = 24 * hour;
/** Long enough that all lengths of sums are used, and not at a whole hour. */
const beginMs = 1_700_000_000_123;
const stretchMs = 150 * day;
const keyIds = [1, 2, 3];

function freshDatabase(): Database.Database {
  const database = openDatabase(join(temporaryFolder(), "ledger.db"));
  onTestFinished(() => void database.close());
  addKeys(database);
  return database;
}

function addKeys(database: Database.Database): void {
  for (const id of keyIds) {
    database
      .prepare("INSERT INTO keys (id, kind, name, hash, tail, created_at_ms) VALUES (?, 'inference', ?, ?, 'cret', 0)")
      .run(id, `person ${id}`, Buffer.alloc(32, id));
  }
}

function someUsage(random: Random) {
  const usage = {
    promptTokens: random.below(5000),
    cachedTokens: random.below(500),
    completionTokens: random.below(900),
    reasoningTokens: random.below(100),
  };
  return random.chance(0.1) ? { ...usage, cacheWrite5mTokens: 7, cacheWrite1hTokens: 3 } : usage;
}

/** One request from its opening to wherever it gets: open, ended, with no, one or two attempts. */
function addRequest(statements: Statements, random: Random, number: number): void {
  const id = `req_${number}`;
  const keyId = random.chance(0.7) ? random.pick(keyIds) : null;
  const who =
    keyId === null
      ? ({
          callerKind: random.pick(["keyless", "admin"] as const),
          callerName: random.pick(["this computer", "é"]),
        } as const)
      : ({ callerKind: "key", keyId, callerName: `person ${keyId}` } as const);
  const startedAtMs = beginMs + random.below(stretchMs);
  statements.openRequest(number, opening(id, { ...who, startedAtMs, alias: random.pick(["a", "b", "ü", "coder"]) }));
  let known = 0;
  let unknown = 0;
  for (let tries = 1; tries <= random.below(3); tries += 1) {
    const upstream = random.chance(0.5) ? { upstream: { provider: "p", model: "m" } } : {};
    const target = random.pick(["engine/a", "p/m", "p/n"]);
    statements.openAttempt(number, attempt(id, { number: tries, target, ...upstream, heldNanos: 11 }));
    if (random.chance(0.1)) continue;
    const isKnown = random.chance(0.7);
    const nanos = random.below(10_000);
    if (isKnown) known += nanos;
    else unknown += 1;
    statements.closeAttempt(
      number,
      attemptEnding(id, {
        number: tries,
        usage: someUsage(random),
        cost: isKnown ? { known: true, nanos, basis: "billed" } : { known: false, reason: "unknown_price" },
      }),
    );
  }
  if (random.chance(0.1)) return;
  const status = random.pick(["done", "done", "done", "failed", "refused", "aborted"] as const);
  statements.closeRequest(
    number,
    ending(id, {
      status,
      usage: someUsage(random),
      cost: unknown === 0 ? { known: true, nanos: known, basis: "billed" } : { known: false, reason: "unknown_price" },
      knownNanos: known,
      unknownAttempts: unknown,
    }),
  );
}

/** What may happen to rows later, whoever does it. */
function changeSomething(database: Database.Database, random: Random, lastNumber: number): void {
  const number = 1 + random.below(lastNumber);
  const nanos = random.below(5000);
  const run = (sql: string) => database.prepare(sql).run();
  const feedback = createFeedbackStore(database);
  const changes: readonly (() => unknown)[] = [
    () => feedback.keep({ requestId: `req_${number}`, ok: random.chance(0.5), note: null, saidAtMs: 1 }),
    () => run(`DELETE FROM feedback WHERE request = ${number}`),
    // A bill that says otherwise.
    () =>
      run(
        `UPDATE attempts SET cost_nanos = ${nanos}, cost_basis = 'billed', drift_nanos = ${nanos} - coalesce(cost_nanos, 0)
         WHERE request = ${number} AND status <> 'open'`,
      ),
    () =>
      run(
        `UPDATE requests SET cost_nanos = ${nanos}, known_nanos = ${nanos}, unknown_attempts = 0, cost_basis = 'billed'
         WHERE number = ${number} AND status <> 'open'`,
      ),
    () => run(`UPDATE requests SET alias = 'renamed', prompt_tokens = prompt_tokens + 1 WHERE number = ${number}`),
    () => run(`DELETE FROM attempts WHERE request = ${number}`),
    () => {
      for (const table of ["feedback", "attempts"]) run(`DELETE FROM ${table} WHERE request = ${number}`);
      run(`DELETE FROM requests WHERE number = ${number}`);
    },
    () => closeInterrupted(database),
  ];
  random.pick(changes)();
}

function someFilters(random: Random): readonly ReportFilter[] {
  const moment = () => beginMs - day + random.below(stretchMs + 2 * day);
  const key = () => (random.chance(0.5) ? { keyId: random.pick(keyIds) } : {});
  const wholeHour = () => Math.floor(moment() / hour) * hour;
  return [
    {},
    { keyId: random.pick(keyIds) },
    { fromMs: moment(), ...key() },
    { toMs: moment(), ...key() },
    { fromMs: moment(), toMs: moment(), ...key() },
    { fromMs: wholeHour(), toMs: wholeHour(), ...key() },
    { fromMs: beginMs + 5, toMs: beginMs + 5 + random.below(2 * hour), ...key() },
  ];
}

test.for([1, 2, 3])(
  "S-27 sum(rows) == rollups, whatever is written, corrected, removed, folded or cut off (seed %i)",
  (seed) => {
    const random = seeded(seed);
    const database = freshDatabase();
    const fold = prepareFold(database);
    const rollUp = prepareRollUp(database);
    const summary = prepareSummary(database);
    let nowMs = beginMs;
    const statements = prepareStatements(database);
    let lastNumber = 0;
    for (let round = 0; round < 30; round += 1) {
      const isCutOff = random.chance(0.2);
      if (isCutOff) database.exec("BEGIN");
      const before = lastNumber;
      for (let more = random.below(25); more >= 0; more -= 1) {
        lastNumber += 1;
        addRequest(statements, random, lastNumber);
      }
      for (let more = random.below(10); more > 0; more -= 1)
        changeSomethingWhole(database, random, lastNumber, isCutOff);
      // As a kill takes it: all of the transaction, or nothing.
      if (isCutOff) {
        database.exec("ROLLBACK");
        lastNumber = before;
      }
      if (random.chance(0.7)) fold(1 + random.below(30));
      nowMs += random.below(stretchMs / 10);
      for (let hours = random.below(40); hours > 0 && rollUp(nowMs); hours -= 1);
      for (const filter of someFilters(random)) expect(summary(filter)).toEqual(freshSum(database, filter));
    }
    while (fold(1000) > 0);
    while (rollUp(beginMs + 2 * stretchMs));
    for (const filter of someFilters(random)) expect(summary(filter)).toEqual(freshSum(database, filter));
    expect(lastNumber).toBeGreaterThan(100);
  },
);

/** `closeInterrupted` and feedback begin transactions of their own, which one that is cut off cannot hold. */
function changeSomethingWhole(
  database: Database.Database,
  random: Random,
  lastNumber: number,
  isInside: boolean,
): void {
  if (!isInside) changeSomething(database, random, lastNumber);
  else database.prepare("UPDATE requests SET alias = 'gone' WHERE number = ?").run(1 + random.below(lastNumber));
}

test("who asked, and when, does not change: sums by hour and caller rest on it", () => {
  const database = freshDatabase();
  prepareStatements(database).openRequest(1, opening("req_1"));
  expect(() => database.exec("UPDATE requests SET started_at_ms = 5")).toThrow("does not change");
  expect(() => database.exec("UPDATE requests SET caller_name = 'else'")).toThrow("does not change");
});

test("folding takes a few changes at a time, until nothing is left", () => {
  const database = freshDatabase();
  const fold = prepareFold(database);
  const statements = prepareStatements(database);
  for (let number = 1; number <= 25; number += 1) {
    statements.openRequest(number, opening(`req_${number}`));
    statements.closeRequest(number, ending(`req_${number}`));
  }
  expect([fold(10), fold(10), fold(10), fold(10)]).toEqual([10, 10, 5, 0]);
  const sums = () => database.prepare("SELECT count(*) AS rows, sum(requests) AS sum FROM request_sums").get();
  // Its alias and its caller by hour; each caller's alias apart by day and 16 days.
  expect(sums()).toEqual({ rows: 4, sum: 4 * 25 });
  // Once the hour has been over for an hour, the alias and the caller by 6 hours, and by 1, 4, 16 and 64 days; what comes late at once.
  const rollUp = prepareRollUp(database);
  const { startedAtMs } = opening("req_1");
  const overMs = Math.ceil((startedAtMs + 1) / hour) * hour + hour;
  expect([rollUp(overMs - 1), rollUp(overMs), rollUp(overMs)]).toEqual([false, true, false]);
  expect(sums()).toEqual({ rows: 14, sum: 14 * 25 });
  statements.openRequest(26, opening("req_26"));
  statements.closeRequest(26, ending("req_26"));
  fold(10);
  expect(sums()).toEqual({ rows: 14, sum: 14 * 26 });
});

test("a ledger from before there were sums of 6 hours, 4 and 64 days tells the same", () => {
  const path = join(temporaryFolder(), "ledger.db");
  const before = openDatabase(path, migrationsOnDisk().slice(0, 17));
  const random = seeded(5);
  addKeys(before);
  const statements = prepareStatements(before);
  for (let number = 1; number <= 400; number += 1) addRequest(statements, random, number);
  // What is refused has no attempt, and so no price.
  before.exec(
    "UPDATE requests SET cost_nanos = NULL, known_nanos = 0, cost_basis = 'not_priced' WHERE status = 'refused'",
  );
  // As it was folded then: what was refused was counted among what has no price.
  const isUnknown = "CASE WHEN cost_basis IN ('not_priced', 'unknown_price') THEN 1 ELSE 0 END";
  const sumsThen = { ...requestSums, unknown_requests: isUnknown };
  before.exec("INSERT INTO sum_aliases (alias) SELECT DISTINCT alias FROM request_changes");
  before.exec(
    "INSERT INTO sum_callers (caller_kind, key_id, caller_name) SELECT DISTINCT caller_kind, coalesce(key_id, 0), caller_name FROM request_changes",
  );
  before.exec(
    "INSERT INTO sum_targets (target, provider) SELECT DISTINCT target, coalesce(provider, '') FROM attempt_changes",
  );
  const who =
    "JOIN sum_callers AS c ON c.key_id = coalesce(m.key_id, 0) AND c.caller_kind = m.caller_kind AND c.caller_name = m.caller_name";
  for (const hours of [1, 24, 384]) {
    const from = `started_at_ms / 3600000 - (started_at_ms / 3600000) % ${hours}`;
    for (const [caller, kind, part] of [
      ["0", 1, "a.id"],
      ["0", 2, "c.id"],
      ...(hours === 1 ? [] : [["c.id", 1, "a.id"] as const]),
    ]) {
      before.exec(`INSERT INTO request_sums (hours, caller, kind, from_hour, part, ${columnNames(requestSums)})
        SELECT ${hours}, ${caller} AS of, ${kind}, ${from} AS hour, ${part} AS what, ${addedUp(sumsThen)}
        FROM request_changes AS m ${who} JOIN sum_aliases AS a ON a.alias = m.alias GROUP BY of, hour, what`);
    }
    for (const caller of hours === 1 ? ["0"] : ["0", "c.id"]) {
      before.exec(`INSERT INTO attempt_sums (hours, caller, from_hour, target, ${columnNames(attemptSums)})
        SELECT ${hours}, ${caller} AS of, ${from} AS hour, t.id, ${addedUp(attemptSums)}
        FROM attempt_changes AS m ${who} JOIN sum_targets AS t ON t.target = m.target AND t.provider = coalesce(m.provider, '')
        GROUP BY of, hour, t.id`);
    }
  }
  before.exec("DELETE FROM request_changes; DELETE FROM attempt_changes");
  before.close();
  const database = openDatabase(path);
  const summary = prepareSummary(database);
  const tellsTheSame = () => {
    for (let run = 0; run < 5; run += 1) {
      for (const filter of someFilters(random)) expect(summary(filter)).toEqual(freshSum(database, filter));
    }
  };
  tellsTheSame();
  // And goes on from there.
  const now = prepareStatements(database);
  for (let number = 401; number <= 500; number += 1) addRequest(now, random, number);
  const fold = prepareFold(database);
  while (fold(50) > 0);
  tellsTheSame();
  database.close();
});
