import { expect, test } from "vitest";
import type { Ledger } from "../../../server/ledger/ledger.ts";
import { hashKey } from "../../../server/ledger/keys.ts";
import { exportColumns } from "../../../server/ledger/reader/export-text.ts";
import { freshLedger } from "./open-ledger.ts";
import { attempt, attemptEnding, ending, notPriced, opening, timings, usage } from "./rows.ts";

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

/** Three requests: jonas on coder with a price, this computer on the demo, and one that was refused. */
async function threeRequests(ledger: Ledger): Promise<number> {
  const { writer, keys } = ledger;
  const hash = hashKey("secret");
  const jonas = keys.create({ kind: "inference", name: "jonas", label: null, hash, tail: "cret", createdAtMs: 0 });
  const caller = { callerKind: "key", keyId: jonas.id, callerName: "jonas" } as const;
  writer.openRequest(opening("req_1", { ...caller, alias: "coder", startedAtMs: 1000, task: "review" }));
  writer.openAttempt(attempt("req_1", { target: "engine/coder" }));
  const cost = { known: true, nanos: 1500, basis: "estimated" } as const;
  writer.closeAttempt(attemptEnding("req_1", { cost }));
  void writer.closeRequest(ending("req_1", { cost }));
  writer.openRequest(opening("req_2", { startedAtMs: 2000 }));
  writer.openAttempt(attempt("req_2"));
  writer.closeAttempt(attemptEnding("req_2"));
  void writer.closeRequest(ending("req_2", { unknownAttempts: 1 }));
  writer.openRequest(opening("req_3", { ...caller, alias: "codr", startedAtMs: 3000, stream: false }));
  await writer.closeRequest(
    ending("req_3", {
      status: "refused",
      finishReason: null,
      failureCode: "model_not_found",
      ttftMs: null,
      usage: { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 },
    }),
  );
  return jonas.id;
}

test("the summary adds up, and says how many costs are unknown", async () => {
  const { ledger } = freshLedger();
  const keyId = await threeRequests(ledger);
  const summary = await ledger.reports.summary();
  expect(summary.total).toEqual({
    requests: 3,
    usage: { promptTokens: 200, cachedTokens: 120, completionTokens: 40, reasoningTokens: 10 },
    knownCostNanos: 1500,
    knownCostRequests: 1,
    // Not the refused one: it reached nobody, so no part of it lacks a price.
    unknownCostRequests: 1,
  });
  expect(summary.byStatus).toEqual({ open: 0, done: 2, failed: 0, refused: 1, aborted: 0, interrupted: 0 });
  expect(summary.byAlias.map((row) => [row.alias, row.requests])).toEqual([
    ["coder", 1],
    ["codr", 1],
    ["lanthorn-demo", 1],
  ]);
  expect(
    summary.byTarget.map((row) => [row.target, row.attempts, row.knownCostNanos, row.unknownCostAttempts]),
  ).toEqual([
    ["engine/coder", 1, 1500, 0],
    ["engine/lanthorn-demo", 1, 0, 1],
  ]);
  expect(summary.byCaller.map((row) => [row.callerKind, row.keyId, row.callerName, row.requests])).toEqual([
    ["key", keyId, "jonas", 2],
    ["keyless", null, "this computer", 1],
  ]);
});

test("a report can be about a time, from included to excluded, and about one key", async () => {
  const { ledger } = freshLedger();
  const keyId = await threeRequests(ledger);
  expect((await ledger.reports.summary({ fromMs: 1000, toMs: 3000 })).total.requests).toBe(2);
  expect((await ledger.reports.summary({ fromMs: 2001 })).total.requests).toBe(1);
  expect((await ledger.reports.summary({ keyId })).total.requests).toBe(2);
  expect((await ledger.reports.summary({ fromMs: 9000 })).total).toMatchObject({ requests: 0, knownCostNanos: 0 });
});

test("one request is shown with everything that is known about it", async () => {
  const { ledger } = freshLedger();
  await threeRequests(ledger);
  expect(await ledger.reports.show("req_2")).toEqual({
    id: "req_2",
    startedAtMs: 2000,
    callerKind: "keyless",
    keyId: null,
    callerName: "this computer",
    dialect: "openai-chat",
    alias: "lanthorn-demo",
    task: null,
    stream: true,
    status: "done",
    finishReason: "stop",
    failureCode: null,
    durationMs: 440,
    ttftMs: 36,
    usage,
    timings,
    cost: notPriced,
    knownCostNanos: 0,
    unknownCostAttempts: 1,
    plan: null,
    notes: [],
    attempts: [
      {
        number: 1,
        target: "engine/lanthorn-demo",
        reason: "only_target",
        offsetMs: 3,
        status: "done",
        failureCode: null,
        durationMs: 433,
        usage,
        timings,
        cost: notPriced,
        upstreamRequestId: null,
        pricing: null,
      },
    ],
  });
  expect(await ledger.reports.show("req_' OR 1=1 --")).toBeNull();
});

test("what was done to a request is kept with it, bounded, and told in every report", async () => {
  const { ledger } = freshLedger();
  const notes = [
    { code: "prompt_normalised", detail: "billing-header" },
    { code: "tool_schema_unenforced", detail: "tools[0].parameters.pattern" },
  ] as const;
  ledger.writer.openRequest(opening("req_1"));
  await ledger.writer.closeRequest({ ...ending("req_1"), notes: [...notes, ...Array(100).fill(notes[0])] });
  const shown = await ledger.reports.show("req_1");
  expect(shown?.notes.slice(0, 2)).toEqual(notes);
  expect(shown?.notes).toHaveLength(32);
  const csv = await textOf(ledger.reports.export("csv"));
  expect(csv).toContain("prompt_normalised: billing-header; tool_schema_unenforced: tools[0].parameters.pattern");
});

test("the newest requests come first", async () => {
  const { ledger } = freshLedger();
  await threeRequests(ledger);
  expect((await ledger.reports.recent(2)).map((record) => record.id)).toEqual(["req_3", "req_2"]);
  await expect(ledger.reports.recent(0)).rejects.toMatchObject({ code: "invalid_request", param: "limit" });
});

test("a page goes on where the last one ended, also where requests began together; of a key and a time alike", async () => {
  const { ledger } = freshLedger();
  await threeRequests(ledger);
  for (let index = 0; index < 20; index += 1) {
    ledger.writer.openRequest(opening(`req_more_${index}`, { startedAtMs: 2000 + Math.floor(index / 5) }));
  }
  ledger.writer.flush();
  const pages = async (filter: { fromMs?: number; toMs?: number; keyId?: number }) => {
    const ids: string[] = [];
    for (let before: string | undefined; ; before = ids.at(-1)) {
      const page = await ledger.reports.recent(3, filter, before);
      if (page.length === 0) return ids;
      ids.push(...page.map(({ id }) => id));
    }
  };
  const all = await pages({});
  expect(all.length).toBe(23);
  expect(new Set(all).size).toBe(23);
  expect(all.slice(0, 2)).toEqual(["req_3", "req_more_19"]);
  expect(all.slice(-2)).toEqual(["req_2", "req_1"]);
  expect(await pages({ fromMs: 2001, toMs: 2003 })).toEqual(all.slice(6, 16));
  expect(await pages({ keyId: 1 })).toEqual(["req_3", "req_1"]);
  await expect(ledger.reports.recent(3, {}, "req_none")).rejects.toMatchObject({ code: "invalid_request" });
});

test("a running request is open and has no cost yet", async () => {
  const { ledger } = freshLedger();
  ledger.writer.openRequest(opening("req_1"));
  ledger.writer.flush();
  expect(await ledger.reports.show("req_1")).toMatchObject({ status: "open", durationMs: null, cost: null });
  expect((await ledger.reports.summary()).total.unknownCostRequests).toBe(0);
});

test("CSV has a header and one line per request; an unknown cost is empty and says why", async () => {
  const { ledger } = freshLedger();
  await threeRequests(ledger);
  const [header, ...lines] = (await textOf(ledger.reports.export("csv"))).split("\r\n");
  expect(header).toBe(exportColumns.join(","));
  expect(lines.at(-1)).toBe("");
  expect(lines.slice(0, 3)).toEqual([
    "req_1,1970-01-01T00:00:01.000Z,1000,key,1,jonas,openai-chat,coder,true,done,stop,,440,36,1,2,30,400,100,60,20,5,1500,estimated,1,engine/coder,only_target,,1500,0,0,0,,,,,,,,,,engine/coder only_target done,review",
    "req_2,1970-01-01T00:00:02.000Z,2000,keyless,,this computer,openai-chat,lanthorn-demo,true,done,stop,,440,36,1,2,30,400,100,60,20,5,,not_priced,1,engine/lanthorn-demo,only_target,,0,1,0,0,,,,,,,,,,engine/lanthorn-demo only_target done,",
    "req_3,1970-01-01T00:00:03.000Z,3000,key,1,jonas,openai-chat,codr,false,refused,,model_not_found,440,,1,2,30,400,0,0,0,0,,not_priced,0,,,,0,0,0,0,,,,,,,,,,,",
  ]);
});

test("JSON lines carry the same columns under the same names", async () => {
  const { ledger } = freshLedger();
  await threeRequests(ledger);
  const rows = (await textOf(ledger.reports.export("jsonl", { fromMs: 2000 })))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  expect(rows).toHaveLength(2);
  expect(Object.keys(rows[0] ?? {})).toEqual(exportColumns);
  expect(rows[0]).toMatchObject({
    id: "req_2",
    costNanos: null,
    costBasis: "not_priced",
    stream: true,
    target: "engine/lanthorn-demo",
  });
});

test("S-33 hostile names come out of the CSV as they went in; what a spreadsheet would compute has one mark in front", async () => {
  const { ledger } = freshLedger();
  const names = ['a "quoted", name', "two\r\nlines", "=1+1", "\u202eabc", "日本 😀"];
  for (const [index, alias] of names.entries()) {
    ledger.writer.openRequest(opening(`req_${index}`, { alias }));
    void ledger.writer.closeRequest(ending(`req_${index}`));
  }
  ledger.writer.flush();
  const text = await textOf(ledger.reports.export("csv"));
  expect(text).toContain(',"a ""quoted"", name",');
  expect(text).toContain(',"two\r\nlines",');
  expect(text).toContain(",'=1+1,");
  for (const plain of names.slice(3)) expect(text).toContain(`,${plain},`);
});

test("an export of many pages has each request once, and ends although requests keep coming", async () => {
  const { ledger } = freshLedger();
  const ids = Array.from({ length: 1234 }, (_, index) => `req_${index}`);
  for (const id of ids) ledger.writer.openRequest(opening(id));
  ledger.writer.flush();
  let text = "";
  let pieces = 0;
  for await (const piece of ledger.reports.export("jsonl")) {
    text += piece;
    pieces += 1;
    for (let more = 0; more < 600; more += 1) ledger.writer.openRequest(opening(`req_more_${pieces}_${more}`));
    ledger.writer.flush();
  }
  expect(pieces).toBe(3);
  expect(
    text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id),
  ).toEqual(ids);
});

test("reports do not run on the server's thread: it goes on while one is computed", async () => {
  const { ledger } = freshLedger();
  for (let index = 0; index < 20_000; index += 1) ledger.writer.openRequest(opening(`req_${index}`));
  ledger.writer.flush();
  // The thread is up before anything is measured.
  await ledger.reports.show("req_0");
  let turns = 0;
  let isDone = false;
  const report = ledger.reports.integrity().then((result) => {
    isDone = true;
    return result;
  });
  while (!isDone) {
    turns += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await report).toEqual({ ok: true, problems: [] });
  expect(turns).toBeGreaterThan(10);
});

test("after close a report is refused, and nothing hangs", async () => {
  const { ledger } = freshLedger();
  const asked = ledger.reports.summary();
  await ledger.close();
  expect((await asked).total.requests).toBe(0);
  await expect(ledger.reports.summary()).rejects.toMatchObject({ code: "ledger_unavailable" });
});
