/**
 * Where markets are asked: at the running server, or from here while none runs, so that what is rented can be seen and ended even then.
 * The commands see one desk and do not know which. Runs in the command's process.
 */
import type { OfferFilter } from "../../domain/rental/market.ts";
import type { Orphan } from "../../domain/rental/lease.ts";
import { withClient } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { findServer } from "../server-address.ts";
import {
  type EndedAnswer,
  endedAnswer,
  type OffersAnswer,
  offersAnswer,
  type OrphansAnswer,
  orphansAnswer,
} from "./answers.ts";
import { callsOf } from "./calls.ts";

export interface MarketDesk {
  offers(filter: OfferFilter, market: string | null): Promise<OffersAnswer>;
  orphans(): Promise<OrphansAnswer>;
  /** Null: all there are. */
  endOrphans(which: readonly Pick<Orphan, "market" | "instanceId">[] | null): Promise<EndedAnswer>;
}

export async function withMarkets<Result>(
  context: Pick<CommandContext, "environment" | "workingFolder" | "signal">,
  work: (desk: MarketDesk) => Promise<Result>,
): Promise<Result> {
  const address = findServer(context.environment);
  if (address !== null) {
    return withClient(address, (client) => {
      const calls = callsOf(client, context.signal);
      return work({
        offers: (filter, market) =>
          calls.get("/offers", offersAnswer, { ...filter, ...(market === null ? {} : { market }) }),
        orphans: () => calls.get("/orphans", orphansAnswer),
        endOrphans: (orphans) => calls.post("/orphans/end", endedAnswer, { orphans }),
      });
    });
  }
  const { withOwnMarkets } = await import("./own-markets.ts");
  return withOwnMarkets(context, work);
}
