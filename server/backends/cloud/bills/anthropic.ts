/**
 * Anthropic's Usage and Cost Admin API: `GET /v1/organizations/cost_report`, daily buckets in UTC by description, amounts as decimal
 * text in cents. Priority tier is not in it. Source: platform.claude.com/docs/en/api/admin/cost_report. Pure.
 */
import { z } from "zod";
import { startOfUtcDay, utcDayOf } from "../../../domain/day.ts";
import { attosOf } from "../../../domain/reconcile/exact-amount.ts";
import { type BillSource, withQuery } from "./bill-source.ts";
import { amountText } from "./exact-json.ts";

const page = z.object({
  data: z.array(
    z.object({
      starting_at: z.iso.datetime({ offset: true }),
      results: z.array(
        z.object({
          amount: amountText,
          currency: z.string().default("USD"),
          model: z.string().nullish(),
          description: z.string().nullish(),
          token_type: z.string().nullish(),
          cost_type: z.string().nullish(),
        }),
      ),
    }),
  ),
  has_more: z.boolean().default(false),
  next_page: z.string().nullish(),
});

/** Most buckets that one answer holds. */
const mostBuckets = 31;

export const anthropicBill: BillSource = Object.freeze<BillSource>({
  key: {
    kind: "admin",
    words: "an admin key of the organisation (sk-ant-admin…); accounts of one person have none",
    variables: ["ANTHROPIC_ADMIN_KEY", "ANTHROPIC_ADMIN_API_KEY"],
  },
  reachDays: null,
  settlesAfterMs: 3_600_000,
  paths: ({ from, until }, basePath) => {
    const query = new URLSearchParams({
      starting_at: new Date(startOfUtcDay(from)).toISOString(),
      ending_at: new Date(startOfUtcDay(until)).toISOString(),
      bucket_width: "1d",
      limit: String(mostBuckets),
    });
    query.append("group_by[]", "description");
    return [`${basePath}/organizations/cost_report?${query}`];
  },
  read: (answer, asked) => {
    const read = page.safeParse(answer);
    if (!read.success) return null;
    const { data, has_more: hasMore, next_page: next } = read.data;
    const lines = data.flatMap(({ starting_at: start, results }) =>
      results.map((result) => ({
        day: utcDayOf(Date.parse(start)),
        model: result.model ?? null,
        what: result.description ?? result.token_type ?? result.cost_type ?? "not itemised",
        attos: result.currency === "USD" ? attosOf(result.amount, "cents") : null,
        roundingNanos: centsRounding(result.amount),
        requests: null,
      })),
    );
    return { lines, next: hasMore && next != null ? withQuery(asked, "page", next) : null };
  },
});

/** Examples have five digits of a cent, half of the last one is 50 nano-USD; a whole or shorter figure may be exact. */
function centsRounding(amount: string): number {
  return (/\.(\d+)$/.exec(amount)?.[1]?.length ?? 0) > 5 ? 0 : 50;
}
