import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { full } from "../../support/full.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { openDatabase } from "../../../server/ledger/open.ts";
import { freshSum } from "./fresh-sum.ts";
import { freshLedger, rowsOf } from "./open-ledger.ts";
import { opening } from "./rows.ts";

const rounds = Number(process.env.LANTHORN_TEST_KILLS ?? (full ? 100 : 5));
/** A restart may take 5 s; asserted with a factor of five. */
const restartLimitMs = 25_000;

interface Round {
  /** Requests whose end a client has seen. */
  readonly acknowledged: readonly string[];
  readonly openMs: number;
  readonly recovered: number;
}

/** Starts the child, lets it serve, and kills it at a random moment after its 50th request. */
async function killedRound(path: string, round: number): Promise<Round> {
  const script = fileURLToPath(new URL("kill-child.ts", import.meta.url));
  const child: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, [script, path, String(round)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit");
  const acknowledged: string[] = [];
  let ready: readonly string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, ...rest] = line.split(" ");
    if (what === "ready") ready = rest;
    if (what === "done") acknowledged.push(rest.join(" "));
    if (acknowledged.length === 50) setTimeout(() => child.kill("SIGKILL"), Math.random() * 40);
  }
  await ended;
  expect(child.signalCode).toBe("SIGKILL");
  return { acknowledged, openMs: Number(ready[0]), recovered: Number(ready[1]) };
}

test(`S-30 kill loop: ${rounds} times kill -9 at a random moment`, { timeout: rounds * 30_000 }, async () => {
  const path = join(temporaryFolder(), "ledger.db");
  const acknowledged: string[] = [];
  let interrupted = 0;
  for (let round = 0; round < rounds; round += 1) {
    const result = await killedRound(path, round);
    acknowledged.push(...result.acknowledged);
    interrupted += result.recovered;
    expect(result.openMs).toBeLessThan(restartLimitMs);
    expect(rowsOf(path, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
    expect(rowsOf(path, "PRAGMA foreign_key_check")).toEqual([]);
  }

  const { ledger } = freshLedger(path);
  interrupted += ledger.recovered;
  const rows = rowsOf(path, "SELECT id, status FROM requests") as readonly { id: string; status: string }[];
  const statusById = new Map(rows.map((row) => [row.id, row.status]));
  expect(rows.length).toBe(statusById.size);
  // What a client has seen to the end has a row that is closed, as done and nothing else.
  expect(acknowledged.length).toBeGreaterThanOrEqual(rounds * 50);
  expect(acknowledged.filter((id) => statusById.get(id) !== "done")).toEqual([]);
  // The rest was in the air when the process died, or finished without anybody having heard of it yet.
  const summary = await ledger.reports.summary();
  const { byStatus } = summary;
  const database = openDatabase(path);
  onTestFinished(() => void database.close());
  expect(summary).toEqual(freshSum(database));
  expect(byStatus).toMatchObject({ open: 0, interrupted });
  expect(byStatus.done + byStatus.interrupted).toBe(rows.length);
  expect(rowsOf(path, "SELECT count(*) AS open FROM attempts WHERE status = 'open'")).toEqual([{ open: 0 }]);
  // What was held for an attempt in the air is what it is booked at.
  const held = "status = 'interrupted' AND held_nanos IS NOT NULL AND cost_nanos IS NOT held_nanos";
  expect(rowsOf(path, `SELECT count(*) AS wrong FROM attempts WHERE ${held}`)).toEqual([{ wrong: 0 }]);
});

test("rows left open are closed as interrupted at the next start, their cost unknown and not 0", async () => {
  const first = freshLedger();
  first.ledger.writer.openRequest(opening("req_1"));
  first.ledger.writer.openAttempt({ requestId: "req_1", number: 1, target: "t", reason: "r", offsetMs: 0 });
  first.ledger.writer.flush();
  await first.ledger.close();
  const second = freshLedger(first.path);
  expect(second.ledger.recovered).toBe(1);
  expect(await second.ledger.reports.show("req_1")).toMatchObject({
    status: "interrupted",
    durationMs: null,
    cost: { known: false, reason: "not_priced" },
    attempts: [{ number: 1, status: "interrupted", durationMs: null, cost: { known: false, reason: "not_priced" } }],
  });
  expect(second.log.lines).toEqual(["warn: closed requests that the last run left open"]);
});
