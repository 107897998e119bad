/**
 * OpenAI's Costs API: `GET /v1/organization/costs`, daily buckets in UTC by line item (`gpt-4o-2024-08-06, input`), amounts in USD.
 * Source: platform.openai.com/docs/api-reference/usage/costs. Pure.
 */
import { z } from "zod";
import { startOfUtcDay, utcDayOf } from "../../../domain/day.ts";
import { attosOf } from "../../../domain/reconcile/exact-amount.ts";
import { type BillSource, withQuery } from "./bill-source.ts";
import { amountText } from "./exact-json.ts";

const seconds = z.string().regex(/^\d{9,11}$/);
const page = z.object({
  data: z.array(
    z.object({
      start_time: seconds,
      results: z.array(
        z.object({
          amount: z.object({ value: amountText, currency: z.string().default("usd") }).nullish(),
          line_item: z.string().nullish(),
        }),
      ),
    }),
  ),
  has_more: z.boolean().default(false),
  next_page: z.string().nullish(),
});

/** Most buckets that one answer holds. */
const mostBuckets = 180;

export const openaiBill: BillSource = Object.freeze<BillSource>({
  key: {
    kind: "admin",
    words: "an admin key of the organisation (sk-admin-…), made by an owner; a project's key is refused",
    variables: ["OPENAI_ADMIN_KEY"],
  },
  reachDays: null,
  // Its documentation promises no time; a day is usually complete some hours later.
  settlesAfterMs: 24 * 3_600_000,
  paths: ({ from, until }, basePath) => {
    const query = new URLSearchParams({
      start_time: String(startOfUtcDay(from) / 1000),
      end_time: String(startOfUtcDay(until) / 1000),
      bucket_width: "1d",
      limit: String(mostBuckets),
    });
    query.append("group_by[]", "line_item");
    return [`${basePath}/organization/costs?${query}`];
  },
  read: (answer, asked) => {
    const read = page.safeParse(answer);
    if (!read.success) return null;
    const { data, has_more: hasMore, next_page: next } = read.data;
    const lines = data.flatMap(({ start_time: start, results }) =>
      results.flatMap(({ amount, line_item: item }) =>
        amount == null
          ? []
          : [
              {
                day: utcDayOf(Number(start) * 1000),
                ...named(item ?? null),
                attos: amount.currency.toLowerCase() === "usd" ? attosOf(amount.value, "usd") : null,
                roundingNanos: 0,
                requests: null,
              },
            ],
      ),
    );
    return { lines, next: hasMore && next != null ? withQuery(asked, "page", next) : null };
  },
});

/** `gpt-4o-2024-08-06, cached input` is of that model; `web search tool calls` names none. */
function named(item: string | null): { readonly model: string | null; readonly what: string } {
  const parts = /^([^\s,]+), (.+)$/.exec(item ?? "");
  return parts === null
    ? { model: null, what: item ?? "not itemised" }
    : { model: parts[1] ?? null, what: parts[2] ?? "" };
}
