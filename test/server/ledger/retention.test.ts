import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hashKey } from "../../../server/ledger/keys.ts";
import { openLedger } from "../../../server/ledger/ledger.ts";
import { tablesOfRequests } from "../../../server/ledger/retention.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { freshLedger, rowsOf } from "./open-ledger.ts";
import { attempt, attemptEnding, ending, opening } from "./rows.ts";

const hour = 3_600_000;
const day = 24 * hour;
const cost = { known: true, nanos: 1500, basis: "billed" } as const;

function ledgerThatKeeps(keepDays: number, path = join(temporaryFolder(), "ledger.db")) {
  const clock = manualClock(100 * day + 5000);
  const log = recordedLog();
  const ledger = openLedger(path, { clock, log, keepDays });
  onTestFinished(() => ledger.close());
  return { ledger, clock, log, path };
}

/** `count` requests with an attempt each, one every half hour from `fromMs` on, of a key. */
async function ask(ledger: ReturnType<typeof ledgerThatKeeps>["ledger"], count: number, fromMs: number): Promise<void> {
  const made = { kind: "inference", name: "jonas", label: null, tail: "cret", createdAtMs: 0 } as const;
  const { id: keyId } = ledger.keys.create({ ...made, hash: hashKey(`secret ${fromMs}`) });
  for (let index = 0; index < count; index += 1) {
    const id = `req_${fromMs}_${index}`;
    const startedAtMs = fromMs + index * (hour / 2);
    ledger.writer.openRequest(opening(id, { startedAtMs, callerKind: "key", keyId, callerName: "jonas" }));
    ledger.writer.openAttempt(attempt(id));
    ledger.writer.closeAttempt(attemptEnding(id, { cost }));
    void ledger.writer.closeRequest(ending(id, { cost }));
  }
  ledger.writer.flush();
  await ledger.reports.integrity();
}

test("old requests go a few at a time, with their attempts and feedback; the sums stay as they were", async () => {
  const { ledger, clock, log, path } = ledgerThatKeeps(30);
  await ask(ledger, 60, 10 * day);
  await ask(ledger, 40, 90 * day);
  ledger.feedback.keep({ requestId: `req_${10 * day}_3`, ok: false, note: null, saidAtMs: 0 });
  const before = await ledger.reports.summary();
  expect(before).toMatchObject({ rowsFromMs: null, total: { requests: 100, knownCostNanos: 150_000 } });
  clock.advance(1);
  const rows = () => rowsOf(path, "SELECT count(*) AS requests FROM requests");
  expect(rows()).toEqual([{ requests: 75 }]);
  clock.advance(1000);
  expect(rows()).toEqual([{ requests: 40 }]);
  expect(rowsOf(path, "SELECT count(*) AS attempts FROM attempts")).toEqual([{ attempts: 40 }]);
  expect(await ledger.reports.summary()).toEqual({ ...before, rowsFromMs: 70 * day });
  expect(log.lines).toEqual(["info: removed requests whose time was over; their sums stay"]);
  // Where single requests are gone, an hour counts as a whole: here those of 10:00 and 10:30, and of 11:00 and 11:30.
  const gone = await ledger.reports.summary({ fromMs: 10 * day + 9.5 * hour, toMs: 10 * day + 11.2 * hour });
  expect(gone.total.requests).toBe(4);
  const [keyId = 0] = before.byCaller.map((row) => row.keyId ?? 0);
  const ofKey = await ledger.reports.summary({ fromMs: 10 * day + 9.5 * hour, toMs: 11.2 * day, keyId });
  expect(ofKey.total.requests).toBe(12);
  const kept = await ledger.reports.summary({ fromMs: 90 * day + 9.5 * hour, toMs: 90 * day + 11.2 * hour });
  expect(kept.total.requests).toBe(4);
  expect(await ledger.reports.integrity()).toEqual({ ok: true, problems: [] });
});

test("a day later the next ones go; what is still open stays", async () => {
  const { ledger, clock, path } = ledgerThatKeeps(30);
  await ask(ledger, 6, 70 * day - hour);
  ledger.writer.openRequest(opening("req_running", { startedAtMs: 5000 }));
  ledger.writer.flush();
  clock.advance(1000);
  const left = () => rowsOf(path, "SELECT count(*) AS requests FROM requests");
  expect(left()).toEqual([{ requests: 5 }]);
  clock.advance(25 * hour);
  expect(left()).toEqual([{ requests: 1 }]);
  expect((await ledger.reports.summary()).total.requests).toBe(7);
  await ledger.writer.closeRequest(ending("req_running"));
  expect((await ledger.reports.summary()).byStatus).toMatchObject({ open: 0, done: 7 });
});

test("without a period nothing is removed", async () => {
  const { ledger, clock, path } = ledgerThatKeeps(0);
  await ask(ledger, 3, 0);
  clock.advance(100 * day);
  expect(rowsOf(path, "SELECT count(*) AS requests FROM requests")).toEqual([{ requests: 3 }]);
});

test("every table that refers to a request is one that retention knows", () => {
  const { path } = freshLedger();
  const referring = rowsOf(
    path,
    `SELECT t.name || '.' || f."from" AS reference FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS f
     WHERE f."table" = 'requests' AND f.on_delete NOT IN ('CASCADE', 'SET NULL') ORDER BY t.name`,
  );
  const known = [...tablesOfRequests].sort().map((table) => ({ reference: `${table}.request` }));
  expect(referring).toEqual(known);
});
