/**
 * Attempts as rows of FOCUS 1.2, the FinOps Open Cost and Usage Specification, as CSV. Pure. One row for each attempt of a request that
 * has ended, so that `BilledCost` adds up to what the summary of the same filter knows. All mandatory columns are there; an unknown
 * cost is empty, never 0, where the specification wants a number. Columns of ours begin with `x_`. Source:
 * focus.finops.org/focus-specification/v1-2.
 */
import { usdOfNanos } from "../../domain/decimal.ts";
import type { Nanos } from "../../domain/money.ts";
import type { AttemptRecord, RequestRecord } from "../records.ts";
import { type Cell, csvCell, csvLineEnd } from "./csv-cell.ts";

/** The order of the specification: by name; ours at the end. They only ever grow at the end. */
export const focusColumns = Object.freeze([
  "BilledCost",
  "BillingAccountId",
  "BillingAccountName",
  "BillingCurrency",
  "BillingPeriodEnd",
  "BillingPeriodStart",
  "ChargeCategory",
  "ChargeClass",
  "ChargeDescription",
  "ChargeFrequency",
  "ChargePeriodEnd",
  "ChargePeriodStart",
  "ConsumedQuantity",
  "ConsumedUnit",
  "ContractedCost",
  "EffectiveCost",
  "InvoiceIssuerName",
  "ListCost",
  "PricingCategory",
  "PricingQuantity",
  "PricingUnit",
  "ProviderName",
  "PublisherName",
  "ResourceId",
  "ResourceName",
  "ResourceType",
  "ServiceCategory",
  "ServiceName",
  "ServiceSubcategory",
  "SkuId",
  "SkuMeter",
  "SkuPriceId",
  "SubAccountId",
  "SubAccountName",
  "Tags",
  "x_RequestId",
  "x_Attempt",
  "x_Status",
  "x_CostBasis",
  "x_PromptTokens",
  "x_CachedTokens",
  "x_CompletionTokens",
  "x_UpstreamRequestId",
] as const);

type FocusColumn = (typeof focusColumns)[number];

/** Whose machine it ran on, where that is no provider. */
const ownName = "Lanthorn";

export function focusHeader(): string {
  return `${focusColumns.join(",")}${csvLineEnd}`;
}

export function focusRows(records: readonly RequestRecord[]): string {
  return records
    .filter(({ status }) => status !== "open")
    .flatMap((record) => record.attempts.map((attempt) => rowText(record, attempt)))
    .join("");
}

function rowText(record: RequestRecord, attempt: AttemptRecord): string {
  const row = cells(record, attempt);
  return focusColumns.map((name) => csvCell(row[name])).join(",") + csvLineEnd;
}

function cells(record: RequestRecord, attempt: AttemptRecord): Readonly<Record<FocusColumn, Cell>> {
  const { pricing, usage, cost } = attempt;
  const provider = pricing?.provider ?? ownName;
  const model = pricing?.model ?? attempt.target;
  const startMs = record.startedAtMs + attempt.offsetMs;
  const nanos = cost?.known === true ? cost.nanos : null;
  const booked = decimal(nanos);
  const tokens = usage.promptTokens + usage.completionTokens;
  const start = new Date(startMs);
  const [year, month] = [start.getUTCFullYear(), start.getUTCMonth()];
  const caller = record.keyId === null ? record.callerKind : `key ${record.keyId}`;
  return {
    BilledCost: booked,
    BillingAccountId: provider,
    BillingAccountName: null,
    BillingCurrency: "USD",
    BillingPeriodEnd: secondText(Date.UTC(year, month + 1, 1)),
    BillingPeriodStart: secondText(Date.UTC(year, month, 1)),
    ChargeCategory: "Usage",
    ChargeClass: null,
    ChargeDescription: `${model}: ${usage.promptTokens} tokens in, ${usage.completionTokens} out`,
    ChargeFrequency: "Usage-Based",
    ChargePeriodEnd: secondText(
      Math.max(startMs + (attempt.durationMs ?? 0), Math.floor(startMs / 1000) * 1000) + 1000,
    ),
    ChargePeriodStart: secondText(startMs),
    ConsumedQuantity: tokens,
    ConsumedUnit: "Tokens",
    ContractedCost: booked,
    EffectiveCost: booked,
    InvoiceIssuerName: provider,
    ListCost: decimal(pricing?.computedNanos ?? nanos),
    PricingCategory: "Standard",
    PricingQuantity: tokens,
    PricingUnit: "Tokens",
    ProviderName: provider,
    PublisherName: provider,
    ResourceId: attempt.target,
    ResourceName: record.alias,
    ResourceType: "Model",
    ServiceCategory: "AI and Machine Learning",
    ServiceName: "Inference",
    ServiceSubcategory: "Generative AI",
    SkuId: `${provider}/${model}`,
    SkuMeter: "Tokens",
    SkuPriceId: pricing?.priceId ?? null,
    SubAccountId: caller,
    SubAccountName: record.callerName,
    Tags: JSON.stringify({ alias: record.alias, caller: record.callerName, dialect: record.dialect }),
    x_RequestId: record.id,
    x_Attempt: attempt.number,
    x_Status: attempt.status,
    x_CostBasis: cost === null ? null : cost.known ? cost.basis : cost.reason,
    x_PromptTokens: usage.promptTokens,
    x_CachedTokens: usage.cachedTokens,
    x_CompletionTokens: usage.completionTokens,
    x_UpstreamRequestId: pricing?.requestId ?? null,
  };
}

/** `2026-11-20T14:02:11Z`: the specification's times have whole seconds, and the end of a period is not part of it. */
function secondText(atMs: number): string {
  return `${new Date(Math.floor(atMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** Exact dollars. None is below 0, so no cell of them begins with a sign. */
function decimal(nanos: Nanos | null): string | null {
  return nanos === null ? null : usdOfNanos(nanos);
}
