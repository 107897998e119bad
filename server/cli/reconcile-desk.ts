/**
 * Where bills are read: at the running server, or from here while none runs. Runs in the command's process.
 */
import { z } from "zod";
import type { Bills, ReconcileWish } from "../backends/cloud/bills/bills.ts";
import { type Reconciliation, type Verdict, verdicts } from "../domain/reconcile/records.ts";
import { withClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { findServer } from "./server-address.ts";

export async function reconcileWith(context: CommandContext, wish: ReconcileWish): Promise<Reconciliation> {
  const address = findServer(context.environment);
  if (address !== null) {
    const { signal } = context;
    return withClient(address, (client) =>
      client.call("POST", "/admin/usage/reconcile", answer, { body: wish, signal }),
    );
  }
  const [{ withLedger }, { withOwnDesk }, { createPricing }, { priceBook }, { pricesOfSettings }] = await Promise.all([
    import("./data-folder.ts"),
    import("./provider-desk.ts"),
    import("../domain/pricing/price-list.ts"),
    import("../domain/pricing/book/index.ts"),
    import("../domain/pricing/override.ts"),
  ]);
  // Waiting for a provider's 429 is no reason to stay for a timer; this one is.
  const stay = setInterval(() => {}, 60_000);
  try {
    return await withLedger(context.environment, (ledger, paths) =>
      withOwnDesk(context, paths, ledger.providerKeys, ({ desk, values }) => {
        const { overrides, worstCase } = pricesOfSettings(values.prices, values.unknownPrice);
        const prices = createPricing({ book: priceBook, overrides, worstCase });
        const bills: Bills = desk.bills({ ours: ledger.reports.billDays }, prices);
        return bills.reconcile(wish, context.signal);
      }),
    );
  } finally {
    clearInterval(stay);
  }
}

const count = z.number();
/** A newer server may know more words; they are shown, not judged. */
const verdict = z.custom<Verdict>((value) => typeof value === "string");
const counts = Object.fromEntries(verdicts.map((name) => [name, count])) as Record<Verdict, z.ZodNumber>;

const row = z.object({
  day: z.string(),
  model: z.string().nullable(),
  attempts: count,
  requests: count.nullable(),
  oursNanos: count,
  theirsNanos: count.nullable(),
  differenceNanos: count,
  toleranceNanos: count,
  verdict,
  reason: z.string(),
  unpricedAttempts: count,
  driftNanos: count,
});

const answer = z.object({
  from: z.string(),
  to: z.string(),
  reconciled: z.boolean(),
  accounts: z.array(
    z.object({
      provider: z.string(),
      with: z.array(z.string()),
      title: z.string(),
      state: z.enum(["compared", "not_compared"]),
      reason: z.string(),
      next: z.array(z.string()),
      expected: z.boolean(),
      zone: z.literal("UTC"),
      settledUntil: z.string().nullable(),
      rows: z.array(row),
      total: z
        .object({
          oursNanos: count,
          theirsNanos: count,
          differenceNanos: count,
          driftNanos: count,
          unpricedAttempts: count,
          rows: z.object(counts),
        })
        .nullable(),
    }),
  ),
}) satisfies z.ZodType<Reconciliation, unknown>;
