/** The export for finance people: every attempt that cost something, in the columns of FOCUS 1.2, adding up to the summary. */
import { expect, test } from "vitest";
import type { PricingFacts } from "../../../server/domain/attempt-cost.ts";
import type { Cost } from "../../../server/domain/money.ts";
import { hashKey } from "../../../server/ledger/keys.ts";
import type { Ledger } from "../../../server/ledger/ledger.ts";
import { focusColumns } from "../../../server/ledger/reader/focus-text.ts";
import type { ExportFormat, ReportFilter } from "../../../server/ledger/records.ts";
import { seeded } from "../../support/random.ts";
import { freshLedger } from "./open-ledger.ts";
import { attempt, attemptEnding, ending, opening, usage } from "./rows.ts";

async function textOf(ledger: Ledger, format: ExportFormat, filter: ReportFilter = {}): Promise<string> {
  let text = "";
  for await (const piece of ledger.reports.export(format, filter)) text += piece;
  return text;
}

/** RFC 4180, by hand: the writer is not asked to judge itself. */
function parseCsv(text: string): readonly Readonly<Record<string, string>>[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
  }
  const [header = [], ...lines] = rows.slice(0, -1);
  return lines.map((line) => Object.fromEntries(header.map((name, index) => [name, line[index] ?? ""])));
}

function nanosOf(dollars: string): bigint {
  return dollars === "" ? 0n : BigInt(dollars.replace(".", ""));
}

const upstream = { provider: "openai", model: "gpt-4o" };
const facts: PricingFacts = {
  ...{
    computedNanos: 1_200,
    reportedNanos: null,
    driftNanos: null,
    priceId: "openai/gpt-4o@start",
    parts: [],
    flags: [],
  },
  ...{ audio: { promptTokens: 0, cachedTokens: 0, completionTokens: 0 }, serviceTier: "standard", rawUsage: null },
};

test("one row says when, where, for whom, how much and at what price, in the columns of the specification", async () => {
  const { ledger } = freshLedger();
  const startedAtMs = Date.parse("2026-10-31T23:59:59.500Z");
  const cost = { known: true, nanos: 1_234_567_891, basis: "billed" } as const;
  ledger.writer.openRequest(
    opening("req_1", { alias: "=cmd|' /C calc'!A0", startedAtMs, callerName: 'jonas, "the" second' }),
  );
  ledger.writer.openAttempt(attempt("req_1", { target: "openai/gpt-4o", upstream, offsetMs: 100 }));
  ledger.writer.closeAttempt(
    attemptEnding("req_1", { cost, pricing: facts, durationMs: 900, upstreamRequestId: "up-1" }),
  );
  await ledger.writer.closeRequest(ending("req_1", { cost }));
  const text = await textOf(ledger, "focus");
  expect(text.split("\r\n")[0]).toBe(focusColumns.join(","));
  const [row, ...more] = parseCsv(text);
  expect(more).toEqual([]);
  expect(row).toMatchObject({
    ...{
      BilledCost: "1.234567891",
      EffectiveCost: "1.234567891",
      ContractedCost: "1.234567891",
      ListCost: "0.000001200",
    },
    ...{ BillingCurrency: "USD", BillingPeriodStart: "2026-10-01T00:00:00Z", BillingPeriodEnd: "2026-11-01T00:00:00Z" },
    ...{ ChargePeriodStart: "2026-10-31T23:59:59Z", ChargePeriodEnd: "2026-11-01T00:00:01Z", ChargeCategory: "Usage" },
    ...{ ConsumedQuantity: "120", ConsumedUnit: "Tokens", PricingQuantity: "120", PricingUnit: "Tokens" },
    ...{ ProviderName: "openai", PublisherName: "openai", InvoiceIssuerName: "openai", BillingAccountId: "openai" },
    ...{ ServiceCategory: "AI and Machine Learning", ServiceSubcategory: "Generative AI", ServiceName: "Inference" },
    ...{
      SkuId: "openai/gpt-4o",
      SkuPriceId: "openai/gpt-4o@start",
      ResourceId: "openai/gpt-4o",
      x_CostBasis: "billed",
    },
    // What a spreadsheet would compute has its mark; inside of JSON nothing is computed.
    ...{ ResourceName: "'=cmd|' /C calc'!A0", SubAccountName: 'jonas, "the" second', SubAccountId: "keyless" },
    ...{ x_RequestId: "req_1", x_Attempt: "1", x_UpstreamRequestId: "up-1" },
  });
  expect(JSON.parse(row?.Tags ?? "")).toEqual({
    ...{ alias: "=cmd|' /C calc'!A0", caller: 'jonas, "the" second', dialect: "openai-chat" },
  });
});

test("an unknown cost is empty, never 0; what runs has no row yet", async () => {
  const { ledger } = freshLedger();
  ledger.writer.openRequest(opening("req_1"));
  ledger.writer.openAttempt(attempt("req_1"));
  ledger.writer.closeAttempt(attemptEnding("req_1"));
  void ledger.writer.closeRequest(ending("req_1", { unknownAttempts: 1 }));
  ledger.writer.openRequest(opening("req_2"));
  ledger.writer.openAttempt(attempt("req_2"));
  ledger.writer.flush();
  const rows = parseCsv(await textOf(ledger, "focus"));
  expect(rows).toMatchObject([
    { x_RequestId: "req_1", BilledCost: "", ListCost: "", ProviderName: "Lanthorn", x_CostBasis: "not_priced" },
  ]);
});

test("the export adds up to the summary of the same filter, to the last nano-USD, in each format", async () => {
  const { ledger } = freshLedger();
  const random = seeded(20);
  const people = ["jonas", "ada", "+bot"].map((name) =>
    ledger.keys.create({ kind: "inference", name, label: null, hash: hashKey(name), tail: "cret", createdAtMs: 0 }),
  );
  const startMs = Date.parse("2026-10-30T00:00:00Z");
  for (let index = 0; index < 1_300; index += 1) {
    const id = `req_${index}`;
    const person = random.chance(0.2) ? null : random.pick(people);
    const caller = person === null ? {} : ({ callerKind: "key", keyId: person.id, callerName: person.name } as const);
    ledger.writer.openRequest(
      opening(id, { startedAtMs: startMs + index * 300_000, alias: random.pick(["a", "b"]), ...caller }),
    );
    const tries = random.below(4);
    let known = 0;
    let unknown = 0;
    for (let number = 1; number <= tries; number += 1) {
      const nanos = random.below(9_000_000);
      const cost: Cost = random.chance(0.1)
        ? { known: false, reason: "unknown_price" }
        : { known: true, nanos, basis: "estimated" };
      if (cost.known) known += cost.nanos;
      else unknown += 1;
      ledger.writer.openAttempt(attempt(id, { number, target: "openai/gpt-4o", upstream }));
      ledger.writer.closeAttempt(attemptEnding(id, { number, cost, usage, pricing: facts }));
    }
    const cost: Cost =
      unknown > 0 ? { known: false, reason: "unknown_price" } : { known: true, nanos: known, basis: "estimated" };
    const none = tries === 0 ? ({ status: "refused", failureCode: "no_target", finishReason: null } as const) : {};
    void ledger.writer.closeRequest(ending(id, { cost, knownNanos: known, unknownAttempts: unknown, ...none }));
  }
  ledger.writer.flush();
  const day = 86_400_000;
  const filters: readonly ReportFilter[] = [
    {},
    { fromMs: startMs + day },
    { toMs: startMs + 2 * day },
    { fromMs: startMs + day, toMs: startMs + 3 * day, keyId: people[1]?.id ?? 0 },
    { keyId: people[2]?.id ?? 0 },
    { fromMs: startMs + 90 * day },
  ];
  for (const filter of filters) {
    const { total } = await ledger.reports.summary(filter);
    const add = (cells: readonly string[]) => cells.reduce((sum, cell) => sum + nanosOf(cell), 0n);
    const focus = parseCsv(await textOf(ledger, "focus", filter));
    expect(add(focus.map((row) => row.BilledCost ?? ""))).toBe(BigInt(total.knownCostNanos));
    expect(add(focus.map((row) => row.EffectiveCost ?? ""))).toBe(BigInt(total.knownCostNanos));
    const csv = parseCsv(await textOf(ledger, "csv", filter));
    expect(csv).toHaveLength(total.requests);
    expect(add(csv.map((row) => row.knownCostNanos ?? ""))).toBe(BigInt(total.knownCostNanos));
    const lines = (await textOf(ledger, "jsonl", filter)).split("\n").filter((line) => line !== "");
    const sum = lines.reduce((all, line) => all + (JSON.parse(line) as { knownCostNanos: number }).knownCostNanos, 0);
    expect(sum).toBe(total.knownCostNanos);
  }
  expect((await ledger.reports.summary(filters[3])).total.knownCostNanos).toBeGreaterThan(1_000_000);
});
