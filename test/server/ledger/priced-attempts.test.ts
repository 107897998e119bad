/** What the ledger keeps of an attempt that cost money, and how an older file comes to have room for it. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import type { PricingFacts } from "../../../server/domain/attempt-cost.ts";
import { migrationsOnDisk } from "../../../server/ledger/migrations.ts";
import { openDatabase } from "../../../server/ledger/open.ts";
import { rawUsageText } from "../../../server/ledger/raw-usage.ts";
import { prepareStatements } from "../../../server/ledger/statements.ts";
import { createWriter } from "../../../server/ledger/writer.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { freshLedger, rowsOf } from "./open-ledger.ts";
import { attempt, attemptEnding, ending, opening, usage } from "./rows.ts";

const upstream = { provider: "openrouter", model: "acme/large" };
const pricing: PricingFacts = {
  computedNanos: 1_200,
  reportedNanos: 1_500,
  driftNanos: 300,
  priceId: "openrouter/acme/large@2026-11-01",
  parts: [{ what: "prompt", count: 100, picosEach: { numerator: 25_000, denominator: 2 } }],
  flags: ["cached_clamped"],
  audio: { promptTokens: 3, cachedTokens: 1, completionTokens: 2 },
  serviceTier: "flex",
  rawUsage: { prompt_tokens: 100, cost: 0.0000015 },
};
const billed = { known: true, nanos: 1_500, basis: "billed" } as const;

test("S-27 a priced attempt is shown, summed and exported with everything that its cost rests on", async () => {
  const { ledger } = freshLedger();
  const written = { ...usage, cacheWrite5mTokens: 7, cacheWrite1hTokens: 9 };
  ledger.writer.openRequest(opening("req_1", { alias: "smart" }));
  await ledger.writer.openPaidAttempt(
    attempt("req_1", { target: "openrouter/acme/large", upstream, heldNanos: 9_000 }),
  );
  const end = { cost: billed, pricing, usage: written, upstreamRequestId: "gen-77" };
  ledger.writer.closeAttempt(attemptEnding("req_1", end));
  const plan = { strategy: "order", tried: [{ target: "openrouter/acme/large", because: "first" }] };
  await ledger.writer.closeRequest(ending("req_1", { cost: billed, usage: written, plan }));

  const shown = await ledger.reports.show("req_1");
  expect(shown).toMatchObject({ cost: billed, knownCostNanos: 1_500, unknownCostAttempts: 0, plan, usage: written });
  const { parts, flags, audio, serviceTier, rawUsage, priceId, computedNanos, reportedNanos, driftNanos } = pricing;
  expect(shown?.attempts[0]).toMatchObject({ cost: billed, usage: written });
  expect(shown?.attempts[0]?.pricing).toEqual({
    ...upstream,
    requestId: "gen-77",
    heldNanos: 9_000,
    ...{ parts, flags, audio, serviceTier, rawUsage, priceId, computedNanos, reportedNanos, driftNanos },
  });

  const { total, byTarget } = await ledger.reports.summary();
  expect(total).toMatchObject({ knownCostNanos: 1_500, knownCostRequests: 1, usage: written });
  expect(byTarget).toEqual([
    {
      target: "openrouter/acme/large",
      attempts: 1,
      usage: written,
      ...{ knownCostNanos: 1_500, knownCostAttempts: 1, unknownCostAttempts: 0, driftNanos: 300 },
    },
  ]);

  let text = "";
  for await (const piece of ledger.reports.export("jsonl")) text += piece;
  expect(JSON.parse(text)).toMatchObject({
    ...{ costNanos: 1_500, costBasis: "billed", knownCostNanos: 1_500, unknownCostAttempts: 0 },
    ...{ cacheWrite5mTokens: 7, cacheWrite1hTokens: 9, provider: "openrouter", upstreamModel: "acme/large" },
    ...{
      upstreamRequestId: "gen-77",
      serviceTier: "flex",
      computedNanos: 1_200,
      reportedNanos: 1_500,
      driftNanos: 300,
    },
    ...{ priceIds: priceId, priceFlags: "cached_clamped" },
  });
});

test("a request of which a part is unknown keeps the part that is known, in sums too", async () => {
  const { ledger } = freshLedger();
  ledger.writer.openRequest(opening("req_1"));
  ledger.writer.openAttempt(attempt("req_1"));
  ledger.writer.closeAttempt(attemptEnding("req_1", { status: "failed", failureCode: "worker_died" }));
  await ledger.writer.openPaidAttempt(attempt("req_1", { number: 2, target: "openrouter/acme/large", upstream }));
  ledger.writer.closeAttempt(attemptEnding("req_1", { number: 2, cost: billed, pricing }));
  await ledger.writer.closeRequest(ending("req_1", { knownNanos: 1_500, unknownAttempts: 1 }));
  expect(await ledger.reports.show("req_1")).toMatchObject({
    cost: { known: false, reason: "not_priced" },
    knownCostNanos: 1_500,
    unknownCostAttempts: 1,
  });
  expect((await ledger.reports.summary()).total).toMatchObject({
    knownCostNanos: 1_500,
    knownCostRequests: 0,
    unknownCostRequests: 1,
  });
});

test("S-30 an attempt that a killed process left open is booked at what was held for it, else its cost is unknown", async () => {
  const first = freshLedger();
  const { writer } = first.ledger;
  writer.openRequest(opening("req_held"));
  await writer.openPaidAttempt(attempt("req_held", { upstream, heldNanos: 800 }));
  writer.closeAttempt(attemptEnding("req_held", { status: "failed", cost: billed, pricing }));
  await writer.openPaidAttempt(attempt("req_held", { number: 2, upstream, heldNanos: 800 }));
  writer.openRequest(opening("req_unheld"));
  await writer.openPaidAttempt(attempt("req_unheld", { upstream }));
  writer.openRequest(opening("req_untried"));
  writer.flush();
  await first.ledger.close();
  const { ledger } = freshLedger(first.path);
  expect(ledger.recovered).toBe(3);
  expect(await ledger.reports.show("req_held")).toMatchObject({
    status: "interrupted",
    cost: { known: true, nanos: 2_300, basis: "estimated" },
    knownCostNanos: 2_300,
    attempts: [{ status: "failed" }, { status: "interrupted", cost: { known: true, nanos: 800, basis: "estimated" } }],
  });
  expect(await ledger.reports.show("req_unheld")).toMatchObject({
    cost: { known: false, reason: "unknown_price" },
    unknownCostAttempts: 1,
    attempts: [{ cost: { known: false, reason: "unknown_price" } }],
  });
  expect(await ledger.reports.show("req_untried")).toMatchObject({ cost: { known: false, reason: "not_priced" } });
});

test("an attempt that costs money is in the file before it may be made, its request with it", async () => {
  const { ledger, path } = freshLedger();
  ledger.writer.openRequest(opening("req_1"));
  const committed = ledger.writer.openPaidAttempt(attempt("req_1", { upstream }));
  expect(rowsOf(path, "SELECT id FROM requests")).toEqual([]);
  await committed;
  expect(rowsOf(path, "SELECT id, status FROM requests")).toEqual([{ id: "req_1", status: "open" }]);
  expect(rowsOf(path, "SELECT provider, status FROM attempts")).toEqual([{ provider: "openrouter", status: "open" }]);
});

test("S-28 a disk that fails stops it: told while it waits, told at once afterwards; the rows come later", async () => {
  const database = openDatabase(join(temporaryFolder(), "ledger.db"));
  onTestFinished(() => void database.close());
  const clock = manualClock();
  const writer = createWriter({
    ...{ statements: prepareStatements(database), clock, log: recordedLog(), onCommit: () => {} },
  });
  database.pragma(`max_page_count = ${database.pragma("page_count", { simple: true })}`);
  for (let index = 0; index < 300; index += 1) writer.openRequest(opening(`req_${index}`));
  await expect(writer.openPaidAttempt(attempt("req_0", { upstream }))).rejects.toMatchObject({
    code: "ledger_unavailable",
  });
  await expect(writer.openPaidAttempt(attempt("req_1", { upstream }))).rejects.toMatchObject({
    code: "ledger_unavailable",
  });
  database.pragma("max_page_count = 1000000");
  writer.flush();
  expect(database.prepare("SELECT count(*) FROM attempts").pluck().get()).toBe(2);
  await expect(writer.openPaidAttempt(attempt("req_2", { upstream }))).resolves.toBeUndefined();
});

test("an upstream's usage object is kept as figures and short words, bounded", () => {
  const said = { prompt_tokens: 12, details: { cached_tokens: 3, tier: "x".repeat(500) }, list: [1, null, true] };
  const text = rawUsageText(said);
  expect(JSON.parse(text ?? "")).toEqual({ ...said, details: { cached_tokens: 3, tier: "x".repeat(100) } });
  expect(
    rawUsageText(Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, index])))?.length,
  ).toBeLessThan(4_000);
  expect(rawUsageText(Array.from({ length: 64 }, () => "y".repeat(200)))).toBeNull();
  expect([rawUsageText(null), rawUsageText("text"), rawUsageText(undefined)]).toEqual([null, null, null]);
});

/** A file of schema 4 with a row of every kind. */
function olderFile(): string {
  const path = join(temporaryFolder(), "ledger.db");
  const database = openDatabase(path, migrationsOnDisk().slice(0, 4));
  database.exec(`
    INSERT INTO keys (kind, name, hash, tail, created_at_ms) VALUES ('inference', 'jonas', zeroblob(32), '9f3c', 1);
    INSERT INTO requests (number, id, started_at_ms, caller_kind, key_id, caller_name, dialect, alias, stream, status,
      cost_nanos, cost_basis, notes, prompt_tokens) VALUES
      (1, 'req_local', 10, 'key', 1, 'jonas', 'openai-chat', 'coder', 1, 'done', NULL, 'not_priced', '[]', 7),
      (2, 'req_priced', 11, 'keyless', NULL, 'this computer', 'openai-chat', 'coder', 0, 'done', 25, 'measured', NULL, 8),
      (3, 'req_refused', 12, 'keyless', NULL, 'this computer', 'openai-chat', 'none', 0, 'refused', NULL, 'not_priced', NULL, 0),
      (7, 'req_open', 13, 'key', 1, 'jonas', 'openai-chat', 'coder', 1, 'open', NULL, NULL, NULL, 0);
    INSERT INTO attempts (request, number, target, reason, offset_ms, status, cost_nanos, cost_basis, decode_ms) VALUES
      (1, 1, 'engine/coder', 'only_target', 3, 'failed', NULL, 'not_priced', 1),
      (1, 2, 'engine/other', 'only_target', 4, 'done', NULL, 'not_priced', 2),
      (2, 1, 'engine/coder', 'only_target', 5, 'done', 25, 'measured', 3),
      (7, 1, 'engine/coder', 'only_target', 6, 'open', NULL, NULL, 0);`);
  database.close();
  return path;
}

test("an older ledger is taken over: every row is there, sums are filled in, and what was open is closed", async () => {
  const path = olderFile();
  const { ledger } = freshLedger(path);
  expect(ledger.recovered).toBe(1);
  expect(await ledger.reports.show("req_local")).toMatchObject({
    ...{
      keyId: 1,
      cost: { known: false, reason: "not_priced" },
      knownCostNanos: 0,
      unknownCostAttempts: 2,
      plan: null,
    },
    ...{
      usage: { promptTokens: 7 },
      notes: [],
      attempts: [{ target: "engine/coder" }, { pricing: null, offsetMs: 4 }],
    },
  });
  expect(await ledger.reports.show("req_priced")).toMatchObject({
    ...{ cost: { known: true, nanos: 25, basis: "measured" }, knownCostNanos: 25, unknownCostAttempts: 0 },
  });
  expect(await ledger.reports.show("req_open")).toMatchObject({ status: "interrupted", unknownCostAttempts: 1 });
  expect(ledger.keys.list()).toMatchObject([{ name: "jonas", limits: { requestsPerMinute: null, priority: 0 } }]);
  // The next number follows the highest.
  ledger.writer.openRequest(opening("req_new"));
  await ledger.writer.closeRequest(ending("req_new"));
  expect(rowsOf(path, "SELECT number FROM requests WHERE id = 'req_new'")).toEqual([{ number: 8 }]);
  expect(rowsOf(path, "PRAGMA foreign_key_check")).toEqual([]);
  expect(rowsOf(path, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  const indexes = rowsOf(
    path,
    `SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('requests', 'attempts') ORDER BY name`,
  );
  const names = ["attempts_open", "requests_by_key", "requests_by_start", "requests_open"];
  expect(indexes).toEqual(names.map((name) => ({ name })));
  const tables = rowsOf(path, "SELECT name, strict, wr FROM pragma_table_list WHERE name IN ('requests', 'attempts')");
  expect(tables).toEqual(
    expect.arrayContaining([
      { name: "requests", strict: 1, wr: 0 },
      { name: "attempts", strict: 1, wr: 1 },
    ]),
  );
});

test("a taken-over ledger holds its rows to the rules, references included", () => {
  const database = openDatabase(olderFile());
  onTestFinished(() => void database.close());
  expect(database.pragma("foreign_keys", { simple: true })).toBe(1);
  const refused = (sql: string) => expect(() => database.exec(sql)).toThrow(/constraint/i);
  refused("UPDATE requests SET cost_nanos = 5 WHERE id = 'req_priced'");
  refused("UPDATE requests SET cost_basis = 'guessed' WHERE id = 'req_local'");
  refused("UPDATE attempts SET provider = 'openai' WHERE request = 1");
  refused("INSERT INTO attempts (request, number, target, reason, offset_ms) VALUES (99, 1, 't', 'r', 0)");
  refused("DELETE FROM requests WHERE number = 1");
  database.exec("UPDATE requests SET cost_basis = 'unknown_price' WHERE id = 'req_local'");
});

test("a migration that would leave rows without theirs is undone as a whole", () => {
  const path = olderFile();
  const four = migrationsOnDisk().slice(0, 4);
  const bad = { number: 5, sql: "ALTER TABLE keys ADD COLUMN odd INTEGER; DELETE FROM requests WHERE number = 1;" };
  expect(() => openDatabase(path, [...four, bad])).toThrow(expect.objectContaining({ code: "cannot_start" }));
  const database = new Database(path, { readonly: true });
  onTestFinished(() => void database.close());
  expect(database.pragma("user_version", { simple: true })).toBe(4);
  expect(database.prepare("SELECT count(*) FROM requests").pluck().get()).toBe(4);
});
