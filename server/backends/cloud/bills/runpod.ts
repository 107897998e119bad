/**
 * RunPod's billing of pods: `GET /v2/billing/pods`, one record for each pod and day (UTC), amounts in USD. The "model" of a line is the
 * pod's id. Source: docs.runpod.io/api-reference-v2/billing/get-pod-billing-history. Pure.
 */
import { z } from "zod";
import { startOfUtcDay, utcDayOf } from "../../../domain/day.ts";
import { attosOf } from "../../../domain/reconcile/exact-amount.ts";
import type { BillSource } from "./bill-source.ts";
import { amountText } from "./exact-json.ts";

const page = z.object({
  records: z.array(
    z.object({ podId: z.string(), startTime: z.iso.datetime({ offset: true }), totalAmount: amountText }),
  ),
});

export const runpodBill: BillSource = Object.freeze<BillSource>({
  key: {
    kind: "ordinary",
    words: "a key that may read billing; the one that rents does where it was given that right",
    variables: ["RUNPOD_API_KEY"],
  },
  reachDays: null,
  settlesAfterMs: 3_600_000,
  paths: ({ from, until }, basePath) => {
    const query = new URLSearchParams({
      startTime: new Date(startOfUtcDay(from)).toISOString(),
      endTime: new Date(startOfUtcDay(until)).toISOString(),
      bucketSize: "day",
    });
    return [`${basePath}/billing/pods?${query}`];
  },
  read: (answer, _asked, { from, until }) => {
    const read = page.safeParse(answer);
    if (!read.success) return null;
    const lines = read.data.records
      .map(({ podId, startTime, totalAmount }) => ({
        day: utcDayOf(Date.parse(startTime)),
        model: podId,
        what: "pod: GPU, CPU and disk",
        attos: attosOf(totalAmount, "usd"),
        roundingNanos: 1,
        requests: null,
      }))
      .filter(({ day }) => day >= from && day < until);
    return { lines, next: null };
  },
});
