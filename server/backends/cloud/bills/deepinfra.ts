/**
 * DeepInfra's usage: `GET /payment/usage?from=&to=` (seconds), outside of `/v1`, by model for the whole span, amounts in cents. One call
 * for each day gives days. Source: docs.deepinfra.com (account and billing) and its OpenAPI; whole cents hide up to half a cent a line.
 * Pure.
 */
import { z } from "zod";
import { addDays, daysBetween, startOfUtcDay, utcDayOf } from "../../../domain/day.ts";
import { attosOf } from "../../../domain/reconcile/exact-amount.ts";
import type { BillSource } from "./bill-source.ts";
import { amountText } from "./exact-json.ts";

const modelName = z.union([
  z.string(),
  z.object({ model_name: z.string() }).transform(({ model_name: name }) => name),
  z.object({ name: z.string() }).transform(({ name }) => name),
]);

const page = z.object({
  months: z.array(
    z.object({
      items: z.array(z.object({ model: modelName.nullish(), cost: amountText, pricing_type: z.string().nullish() })),
    }),
  ),
});

const halfCentNanos = 5_000_000;

export const deepinfraBill: BillSource = Object.freeze<BillSource>({
  key: {
    kind: "ordinary",
    words: "no key of its own: the one that calls are made with",
    variables: [],
  },
  reachDays: null,
  settlesAfterMs: 3_600_000,
  paths: ({ from, until }, _basePath, nowMs) =>
    daysBetween(from, until).map((day) => {
      // It refuses an end that lies in the future.
      const endMs = Math.min(startOfUtcDay(addDays(day, 1)), nowMs);
      const query = { from: String(startOfUtcDay(day) / 1000), to: String(Math.floor(endMs / 1000)) };
      return `/payment/usage?${new URLSearchParams(query)}`;
    }),
  read: (answer, asked) => {
    const read = page.safeParse(answer);
    const from = Number(new URL(asked, "http://bill").searchParams.get("from"));
    if (!read.success) return null;
    const lines = read.data.months.flatMap(({ items }) =>
      items.map(({ model, cost, pricing_type: kind }) => ({
        day: utcDayOf(from * 1000),
        model: model ?? null,
        what: kind ?? "usage",
        attos: attosOf(cost, "cents"),
        roundingNanos: cost.includes(".") ? 1 : halfCentNanos,
        requests: null,
      })),
    );
    return { lines, next: null };
  },
});
