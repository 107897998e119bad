/** Is anything rented, and does somebody look after all of it? Asks the markets, at the server or from here. */
import type { Orphan } from "../../domain/rental/lease.ts";
import { asCommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural } from "../format.ts";
import { withClient } from "../client.ts";
import { type OrphansAnswer, summaryAnswer } from "../rental/answers.ts";
import { callsOf } from "../rental/calls.ts";
import { burnWords } from "../rental/burn-line.ts";
import { withMarkets } from "../rental/market-desk.ts";
import { burningHere, marketsOfSettings } from "../rental/own-markets.ts";
import { priceText } from "../rental/price-text.ts";
import { type Check, type CheckContext, type Finding, fail, note, ok } from "./check.ts";

export const rentalsCheck: Check = {
  title: "Rentals",
  look: async (context) => {
    const { server } = context;
    if (server === null && marketsOfSettings(context).length === 0) return ok("no market is set up");
    const summary = server === null ? null : await summaryOf(context, server);
    if (server !== null && summary === null) return ok("no market is set up");
    const alone = server === null ? await burningHere(context) : null;
    return judgeRentals(summary, await withMarkets(context, (markets) => markets.orphans()), alone);
  },
};

type Summary = Awaited<ReturnType<typeof summaryOf>>;

async function summaryOf({ signal }: CheckContext, server: NonNullable<CheckContext["server"]>) {
  try {
    const { summary } = await withClient(server, (client) => callsOf(client, signal).get("/summary", summaryAnswer));
    return summary;
  } catch (thrown) {
    // A server of an earlier build rents nothing.
    if (asCommandFailure(thrown).exitCode === exitCodes.noSuchThing) return null;
    throw thrown;
  }
}

/** `alone`: what has leases while no server runs; null: one does. */
export function judgeRentals(
  summary: Summary,
  { orphans, unread }: OrphansAnswer,
  alone: Parameters<typeof burnWords>[0] | null = null,
): Finding {
  if (orphans.length > 0)
    return fail(`${plural(orphans.length, "instance")} nobody looks after${costText(orphans)}`, endAll);
  const left = alone === null ? null : burnWords(alone);
  if (left !== null)
    return fail(`${left}, and no server looks after ${alone?.costing === 1 ? "it" : "them"}`, "lanthorn serve");
  const words = summary === null ? null : burnWords(summary);
  const burning = words ?? "nothing is rented";
  if (unread.length > 0)
    return note(`${burning}; could not be looked at: ${unread.join(", ")}`, "lanthorn rental orphans");
  return words === null ? ok(burning) : note(burning, "lanthorn rental list");
}

const endAll = "lanthorn rental orphans, then with --end";

function costText(orphans: readonly Orphan[]): string {
  const known = orphans.flatMap(({ perHourNanos }) => (perHourNanos === null ? [] : [perHourNanos]));
  const sum = priceText(known.reduce((total, nanos) => total + nanos, 0));
  return known.length === orphans.length ? `, ${sum} an hour` : `, ${sum} an hour or more`;
}
