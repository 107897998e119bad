/** `lanthorn usage`: at a running server, and from the ledger's file while none runs. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openLedger } from "../../../../server/ledger/ledger.ts";
import { systemClock } from "../../../../server/platform/clock.ts";
import { createLog } from "../../../../server/platform/log.ts";
import { createDataFolder, dataPaths } from "../../../../server/platform/paths.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { startVendor } from "../../../support/vendors/vendor.ts";
import { emptySummary, refuse, someRequest, someSummary, startAdminStub } from "../admin-stub.ts";
import { lanthorn } from "../run-command.ts";

describe("at a running server", () => {
  test("summary in words: local work is marked as not yet priced", async () => {
    const stub = await startAdminStub({ "GET /admin/usage/summary": someSummary });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const outcome = await lanthorn(["usage", "summary", "--from", "2026-11-01"], { environment });
    expect(outcome).toEqual({
      code: 0,
      stderr: "",
      stdout: [
        "Requests   3   2 done, 1 ended by the client",
        "Tokens     41.2 K in (35.1 K cached), 412 out",
        "Cost       local: not yet priced",
        "Range      from 1 Nov 2026 00:00:00 (Europe/Berlin)",
        "",
        "PERSON  REQUESTS      IN  CACHED  OUT  COST",
        "jonas          3  41.2 K  35.1 K  412  local: not yet priced",
        "",
        "MODEL  REQUESTS      IN  CACHED  OUT  COST",
        "coder         3  41.2 K  35.1 K  412  local: not yet priced",
        "",
      ].join("\n"),
    });
    expect(stub.asked[0]?.url).toBe(`/admin/usage/summary?from=${Date.parse("2026-10-31T23:00:00Z")}`);
  });

  test("summary --json is the server's own answer, with exact dollars", async () => {
    const stub = await startAdminStub({ "GET /admin/usage/summary": someSummary });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const answer = JSON.parse((await lanthorn(["usage", "summary", "--json"], { environment })).stdout);
    expect(answer.byStatus).toEqual(someSummary.byStatus);
    expect(answer.total).toEqual({ ...someSummary.total, knownCostUsd: "0.000000000" });
  });

  test("summary of nothing", async () => {
    const stub = await startAdminStub({ "GET /admin/usage/summary": emptySummary });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const { stdout } = await lanthorn(["usage", "summary"], { environment });
    expect(stdout).toBe("No requests since the ledger began.\n");
  });

  test("show draws the request, and is exit 5 for one that is not there", async () => {
    const stub = await startAdminStub({
      [`GET /admin/usage/requests/${someRequest.id}`]: someRequest,
      "GET /admin/usage/requests/req_none": (response) => refuse(response, 404, { code: "not_found", message: "No." }),
    });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const { stdout } = await lanthorn(["usage", "show", someRequest.id], { environment });
    expect(stdout).toMatch(/^req_7Q2M0+a {3}jonas {3}coder → engine\/coder {3}done/u);
    expect(stdout).toContain(" prefill 3.4 s  ");
    const asJson = await lanthorn(["usage", "show", someRequest.id, "--json"], { environment });
    expect(JSON.parse(asJson.stdout)).toEqual({ ...someRequest, knownCostUsd: "0.000000000" });
    const none = await lanthorn(["usage", "show", "req_none"], { environment });
    expect(none.code).toBe(5);
    expect(none.stderr).toMatch(/^error {2}The ledger has no such request$/mu);
  });

  test("an export that breaks off is a failure, not a short file", async () => {
    const stub = await startAdminStub({
      "GET /admin/usage/export": (response) => {
        response.writeHead(200, { "content-type": "text/csv" });
        response.write("id\r\nreq_1\r\n", () => response.destroy());
      },
    });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const { code, stderr } = await lanthorn(["usage", "export"], { environment });
    expect(code).toBe(1);
    expect(stderr).toContain("broke off");
  });
});

describe("with no server running", () => {
  let home = "";

  beforeEach(async () => {
    home = temporaryFolder();
    const paths = dataPaths({ LANTHORN_HOME: home });
    createDataFolder(paths);
    const ledger = openLedger(paths.ledger, { clock: systemClock, log: createLog({ level: "silent" }) });
    const { id, startedAtMs, usage, timings } = someRequest;
    ledger.writer.openRequest({
      id,
      startedAtMs,
      callerKind: "keyless",
      keyId: null,
      callerName: "this computer",
      dialect: "openai-chat",
      alias: 'a "quoted", alias',
      stream: true,
    });
    ledger.writer.openAttempt({ requestId: id, number: 1, target: "engine/coder", reason: "only_target", offsetMs: 0 });
    const ending = { durationMs: 14_800, failureCode: null, usage, timings };
    const cost = { known: false, reason: "not_priced" } as const;
    ledger.writer.closeAttempt({ requestId: id, number: 1, status: "done", cost, ...ending });
    await ledger.writer.closeRequest({ id, status: "done", finishReason: "stop", ttftMs: 5500, cost, ...ending });
    await ledger.close();
  });

  test("summary and show read the file", async () => {
    const environment = { LANTHORN_HOME: home };
    const summary = JSON.parse((await lanthorn(["usage", "summary", "--json"], { environment })).stdout);
    expect(summary.total).toMatchObject({ requests: 1, unknownCostRequests: 1, usage: someRequest.usage });
    expect(summary.byStatus).toMatchObject({ open: 0, done: 1 });
    const shown = JSON.parse((await lanthorn(["usage", "show", someRequest.id, "--json"], { environment })).stdout);
    expect(shown).toMatchObject({ id: someRequest.id, ttftMs: 5500, attempts: [{ target: "engine/coder" }] });
  });

  test("export writes the same rows as CSV, JSON lines and one array, and counts them on stderr", async () => {
    const environment = { LANTHORN_HOME: home };
    const csv = await lanthorn(["usage", "export"], { environment });
    expect(csv.stderr).toBe("1 row\n");
    expect(csv.stdout.split("\r\n")).toHaveLength(3);
    expect(csv.stdout).toContain('"a ""quoted"", alias"');
    const lines = await lanthorn(["usage", "export", "--format", "jsonl"], { environment });
    const array = await lanthorn(["usage", "export", "--json"], { environment });
    expect(JSON.parse(array.stdout)).toEqual([
      {
        ...JSON.parse(lines.stdout),
        ...{ costUsd: null, knownCostUsd: "0.000000000", computedUsd: null, reportedUsd: null, driftUsd: null },
      },
    ]);
  });

  test("export --out writes a file of its own, whole or not at all, and over nothing", async () => {
    const environment = { LANTHORN_HOME: home };
    const workingFolder = temporaryFolder();
    const run = (...args: readonly string[]) => lanthorn(["usage", "export", ...args], { environment, workingFolder });
    expect(await run("--format", "focus", "--out", "focus.csv")).toEqual({
      code: 0,
      stderr: "",
      stdout: "1 row in focus.csv.\n",
    });
    const text = readFileSync(join(workingFolder, "focus.csv"), "utf8");
    expect(text).toMatch(/^BilledCost,BillingAccountId,/u);
    expect(text).toContain(someRequest.id);
    expect(statSync(join(workingFolder, "focus.csv")).mode & 0o777).toBe(0o600);
    const again = await run("--format", "csv", "--out", "focus.csv");
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("Nothing was written over it.")]);
    expect(readFileSync(join(workingFolder, "focus.csv"), "utf8")).toBe(text);
    const asJson = await run("--format", "jsonl", "--out", "rows.jsonl", "--json");
    expect(JSON.parse(asJson.stdout)).toEqual({ file: "rows.jsonl", format: "jsonl", rows: 1 });
    expect((await run("--format", "focus", "--json")).code).toBe(2);
    expect((await run("--out", "no/such/folder.csv")).code).toBe(1);
    expect(readdirSync(workingFolder).sort()).toEqual(["focus.csv", "rows.jsonl"]);
  });

  test("reconcile reads the bills itself: exit 1 for what the ledger lacks, 0 where nothing is billed", async () => {
    const atMs = Date.now() - 3 * 86_400_000;
    const day = new Date(atMs).toISOString().slice(0, 10);
    const slips = [{ day, model: "gpt-4o", usd: 0.25 }];
    const bills = { shape: "openai", key: "sk-admin-1234", now: Date.now, slips } as const;
    const vendor = await startVendor({ wire: "openai", bills });
    onTestFinished(() => vendor.stop());
    const environment = {
      LANTHORN_HOME: home,
      LANTHORN_PROVIDERS: JSON.stringify({ openai: { baseUrl: vendor.baseUrl } }),
      LANTHORN_PROVIDER_OPENAI_BILLS_KEY: "sk-admin-1234",
    };
    const found = await lanthorn(["usage", "reconcile"], { environment });
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(new RegExp(`${day} +gpt-4o\\S* +0 .* \\$0\\.250000000 .*missing here`, "u"));
    const before = await lanthorn(["usage", "reconcile", "--to", "2026-01-03", "--json"], { environment });
    expect([before.code, JSON.parse(before.stdout).reconciled]).toEqual([0, true]);
    expect((await lanthorn(["usage", "reconcile", "--from", "yesterday"], { environment })).code).toBe(2);
  });

  test("a range leaves out what began outside of it", async () => {
    const environment = { LANTHORN_HOME: home };
    const day = await lanthorn(["usage", "export", "--json", "--from", "2026-11-12", "--to", "2026-11-12"], {
      environment,
    });
    const before = await lanthorn(["usage", "export", "--json", "--to", "2026-11-11"], { environment });
    expect([JSON.parse(day.stdout).length, JSON.parse(before.stdout)]).toEqual([1, []]);
  });
});
