/**
 * OpenRouter's activity: `GET /api/v1/activity`, the last 30 complete UTC days by model and endpoint, amounts in USD. What a key of
 * one's own at another provider cost there (`byok_usage_inference`) is not OpenRouter's and left out.
 * Source: openrouter.ai/docs/api/api-reference/analytics/get-user-activity. Pure.
 */
import { z } from "zod";
import { isDay } from "../../../domain/day.ts";
import { attosOf } from "../../../domain/reconcile/exact-amount.ts";
import type { BillSource } from "./bill-source.ts";
import { amountText, countText } from "./exact-json.ts";

const page = z.object({
  data: z.array(
    z.object({
      /** A day, in some answers with a time of 00:00:00 behind it. */
      date: z
        .string()
        .transform((text) => text.slice(0, 10))
        .refine(isDay),
      model: z.string(),
      provider_name: z.string().nullish(),
      usage: amountText,
      requests: countText,
    }),
  ),
});

export const openrouterBill: BillSource = Object.freeze<BillSource>({
  key: {
    kind: "management",
    words:
      "a management key (openrouter.ai/settings/management-keys); it cannot call models, and an ordinary key is refused",
    variables: ["OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_PROVISIONING_KEY"],
  },
  reachDays: 30,
  settlesAfterMs: 3_600_000,
  paths: (_range, basePath) => [`${basePath}/activity`],
  read: (answer, _asked, { from, until }) => {
    const read = page.safeParse(answer);
    if (!read.success) return null;
    const lines = read.data.data
      .filter(({ date }) => date >= from && date < until)
      .map(({ date, model, provider_name: host, usage, requests }) => ({
        day: date,
        model,
        what: `served by ${host ?? "an unnamed provider"}`,
        attos: attosOf(usage, "usd"),
        roundingNanos: 1,
        requests,
      }));
    return { lines, next: null };
  },
});
