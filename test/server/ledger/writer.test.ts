import { expect, test } from "vitest";
import type { Failure } from "../../../server/domain/failure.ts";
import { freshLedger, rowsOf } from "./open-ledger.ts";
import { attempt, attemptEnding, ending, opening } from "./rows.ts";

test("a closed request is in the file when its promise resolves, with its attempts", async () => {
  const { ledger, path } = freshLedger();
  const { writer } = ledger;
  writer.openRequest(opening("req_1"));
  writer.openAttempt(attempt("req_1"));
  writer.closeAttempt(attemptEnding("req_1", { status: "failed", failureCode: "worker_died" }));
  writer.openAttempt(attempt("req_1", { number: 2, offsetMs: 500 }));
  writer.closeAttempt(attemptEnding("req_1", { number: 2 }));
  await writer.closeRequest(ending("req_1"));
  expect(rowsOf(path, "SELECT id, status, duration_ms, cost_nanos, cost_basis FROM requests")).toEqual([
    { id: "req_1", status: "done", duration_ms: 440, cost_nanos: null, cost_basis: "not_priced" },
  ]);
  expect(rowsOf(path, "SELECT number, status, failure_code, offset_ms FROM attempts ORDER BY number")).toEqual([
    { number: 1, status: "failed", failure_code: "worker_died", offset_ms: 3 },
    { number: 2, status: "done", failure_code: null, offset_ms: 500 },
  ]);
});

test("operations of one turn are committed together, at its end or on flush", async () => {
  const { ledger, path } = freshLedger();
  const count = () => rowsOf(path, "SELECT id FROM requests WHERE status = 'open' ORDER BY number");
  ledger.writer.openRequest(opening("req_a"));
  ledger.writer.openRequest(opening("req_b"));
  expect(count()).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(count()).toEqual([{ id: "req_a" }, { id: "req_b" }]);
  ledger.writer.openRequest(opening("req_c"));
  ledger.writer.flush();
  expect(count()).toEqual([{ id: "req_a" }, { id: "req_b" }, { id: "req_c" }]);
});

test("a known cost keeps its amount and its basis; an unknown one is NULL, never 0", async () => {
  const { ledger, path } = freshLedger();
  ledger.writer.openRequest(opening("req_priced"));
  ledger.writer.openRequest(opening("req_local"));
  const cost = { known: true, nanos: 2 ** 53 - 1, basis: "billed" } as const;
  await Promise.all([
    ledger.writer.closeRequest(ending("req_priced", { cost })),
    ledger.writer.closeRequest(ending("req_local")),
  ]);
  expect(rowsOf(path, "SELECT id, cost_nanos, cost_basis FROM requests ORDER BY id")).toEqual([
    { id: "req_local", cost_nanos: null, cost_basis: "not_priced" },
    { id: "req_priced", cost_nanos: 2 ** 53 - 1, cost_basis: "billed" },
  ]);
});

test("fractions of milliseconds are rounded, and nonsense becomes 0 instead of a lost row", async () => {
  const { ledger, path } = freshLedger();
  ledger.writer.openRequest(opening("req_1"));
  const timings = { queueMs: 0.4, loadMs: Number.NaN, prefillMs: 1.5, decodeMs: -1 };
  await ledger.writer.closeRequest(ending("req_1", { durationMs: 12.7, ttftMs: 3.2, timings }));
  expect(rowsOf(path, "SELECT duration_ms, ttft_ms, queue_ms, load_ms, prefill_ms, decode_ms FROM requests")).toEqual([
    { duration_ms: 13, ttft_ms: 3, queue_ms: 0, load_ms: 0, prefill_ms: 2, decode_ms: 0 },
  ]);
});

test("text of clients is kept as it is, up to 200 characters and never half of one", async () => {
  const { ledger, path } = freshLedger();
  const hostile = "\u0000\r\n'; DROP TABLE requests; -- \u202e\ud83d\ude00";
  ledger.writer.openRequest(opening("req_1", { alias: hostile }));
  ledger.writer.openRequest(opening("req_2", { alias: `${"x".repeat(199)}\ud83d\ude00` }));
  ledger.writer.openRequest(opening("req_3", { alias: "broken \ud83d" }));
  ledger.writer.flush();
  expect(rowsOf(path, "SELECT alias FROM requests ORDER BY number")).toEqual([
    { alias: hostile },
    { alias: "x".repeat(199) },
    { alias: "broken \ufffd" },
  ]);
});

test("a request is closed once, and only when it is open", async () => {
  const { ledger, path } = freshLedger();
  ledger.writer.openRequest(opening("req_1"));
  await ledger.writer.closeRequest(ending("req_1"));
  await expect(ledger.writer.closeRequest(ending("req_1", { status: "failed" }))).rejects.toMatchObject({
    code: "internal",
  } satisfies Partial<Failure>);
  await expect(ledger.writer.closeRequest(ending("req_never"))).rejects.toMatchObject({ code: "internal" });
  expect(rowsOf(path, "SELECT status FROM requests")).toEqual([{ status: "done" }]);
});

test("an id that was used before costs only its own row, not its neighbours'", async () => {
  const { ledger, path, log } = freshLedger();
  ledger.writer.openRequest(opening("req_1"));
  await ledger.writer.closeRequest(ending("req_1"));
  ledger.writer.openRequest(opening("req_1"));
  ledger.writer.openAttempt(attempt("req_1"));
  ledger.writer.openRequest(opening("req_2"));
  const again = ledger.writer.closeRequest(ending("req_1", { status: "failed" }));
  const neighbour = ledger.writer.closeRequest(ending("req_2"));
  await expect(again).rejects.toMatchObject({ code: "internal" });
  await neighbour;
  expect(rowsOf(path, "SELECT id, status FROM requests ORDER BY id")).toEqual([
    { id: "req_1", status: "done" },
    { id: "req_2", status: "done" },
  ]);
  expect(log.lines).toContain("error: a ledger row could not be written as it was");
  expect(ledger.writer.healthy()).toBe(true);
});

test("an attempt that was forgotten is closed with its request", async () => {
  const { ledger, path, log } = freshLedger();
  ledger.writer.openRequest(opening("req_1"));
  ledger.writer.openAttempt(attempt("req_1"));
  await ledger.writer.closeRequest(ending("req_1", { status: "failed", failureCode: "internal" }));
  expect(rowsOf(path, "SELECT status, failure_code FROM attempts")).toEqual([
    { status: "failed", failure_code: "internal" },
  ]);
  expect(log.lines).toEqual(["warn: an attempt was still open when its request ended"]);
});

test("thousands of requests at once all arrive, in order", async () => {
  const { ledger, path } = freshLedger();
  const ids = Array.from({ length: 3000 }, (_, index) => `req_${index}`);
  const closed = ids.map((id) => {
    ledger.writer.openRequest(opening(id));
    ledger.writer.openAttempt(attempt(id));
    ledger.writer.closeAttempt(attemptEnding(id));
    return ledger.writer.closeRequest(ending(id));
  });
  await Promise.all(closed);
  expect(rowsOf(path, "SELECT id FROM requests WHERE status = 'done' ORDER BY number")).toEqual(
    ids.map((id) => ({ id })),
  );
  expect(rowsOf(path, "SELECT count(*) AS open FROM attempts WHERE status = 'open'")).toEqual([{ open: 0 }]);
});

test("close writes what still waits", async () => {
  const { ledger, path } = freshLedger();
  ledger.writer.openRequest(opening("req_1"));
  const closed = ledger.writer.closeRequest(ending("req_1"));
  await ledger.close();
  await closed;
  expect(rowsOf(path, "SELECT status FROM requests")).toEqual([{ status: "done" }]);
  // A latecomer is told, and throws nothing at anybody.
  ledger.writer.openRequest(opening("req_late"));
  await expect(ledger.writer.closeRequest(ending("req_late"))).rejects.toThrow();
});
