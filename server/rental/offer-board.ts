/**
 * What markets offer, for people who look: every market asked at once and no more often than it allows, and where one is silent the
 * last list it gave, with its age. Runs in the server, and in a command's process while none runs. Nothing is rented from here on
 * an old list: `fresh` throws what the market said instead.
 */
import { asFailure, Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import {
  type OfferFilter,
  type OfferList,
  type RejectedOffer,
  type RentalOffer,
  rentKinds,
} from "../domain/rental/market.ts";
import { byPrice } from "../domain/rental/quote.ts";
import type { Market } from "./market.ts";

/** Of one market: when it was asked, and why its list is missing or old. */
export interface MarketLook {
  readonly market: string;
  readonly title: string;
  /** Null: it has never answered that question. */
  readonly takenAtMs: number | null;
  /** Null: the list is the market's answer to the last question; else why it is not. */
  readonly trouble: string | null;
  readonly offers: number;
  /** Entries nobody may decide by: no price, or an absurd one. */
  readonly rejected: readonly RejectedOffer[];
}

export interface OffersView {
  /** Cheapest first, GPU and disk together. */
  readonly offers: readonly RentalOffer[];
  readonly markets: readonly MarketLook[];
}

export interface OfferBoard {
  /** Throws the first failure when no market has anything to show; `not_found` for a market that is not set up. */
  look(filter: OfferFilter, market: string | null, signal: AbortSignal): Promise<OffersView>;
  /** The list of one market, as old as its pace at most. Throws what it said instead. */
  fresh(market: string, filter: OfferFilter, signal: AbortSignal): Promise<OfferList>;
  /** The question whose answer had that offer last; null: nobody has seen it. */
  filterOf(market: string, offerId: string): OfferFilter | null;
}

/** Questions remembered. People try a few filters; the oldest answer goes first. */
const mostKept = 64;

interface Kept {
  readonly market: string;
  readonly filter: OfferFilter;
  readonly list: OfferList;
  readonly takenAtMonotonicMs: number;
}

export function createOfferBoard(markets: readonly Market[], clock: Clock): OfferBoard {
  const kept = new Map<string, Kept>();

  const fresh: OfferBoard["fresh"] = async (id, filter, signal) => {
    const market = marketOf(markets, id);
    const key = questionOf(id, filter);
    const last = kept.get(key);
    if (last !== undefined && clock.monotonicMs() - last.takenAtMonotonicMs < market.traits.offersEveryMs) {
      return last.list;
    }
    const list = await market.offers(filter, signal);
    kept.delete(key);
    kept.set(key, { market: id, filter, list, takenAtMonotonicMs: clock.monotonicMs() });
    const [oldest] = kept.keys();
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
    return list;
  };

  return {
    fresh,
    async look(filter, market, signal) {
      const asked = market === null ? markets : [marketOf(markets, market)];
      const failures: Failure[] = [];
      const looks = await Promise.all(
        asked.map(async ({ id, title, traits }): Promise<{ look: MarketLook; offers: readonly RentalOffer[] }> => {
          // Whoever names no kind wants to see both, and a market lists one at a time.
          const questions =
            filter.kind === undefined && traits.bids ? rentKinds.map((kind) => ({ ...filter, kind })) : [filter];
          const lists: OfferList[] = [];
          let trouble: string | null = null;
          for (const question of questions) {
            try {
              lists.push(await fresh(id, question, signal));
            } catch (thrown) {
              const failure = asFailure(thrown);
              failures.push(failure);
              trouble ??= failure.message;
              const last = kept.get(questionOf(id, question))?.list;
              if (last !== undefined) lists.push(last);
            }
          }
          const offers = lists.flatMap((list) => list.offers);
          const rejected = lists.flatMap((list) => list.rejected);
          const takenAtMs = lists.length === 0 ? null : Math.min(...lists.map((list) => list.takenAtMs));
          return { look: { market: id, title, takenAtMs, trouble, offers: offers.length, rejected }, offers };
        }),
      );
      const [failure] = failures;
      if (failure !== undefined && looks.every(({ look }) => look.takenAtMs === null)) throw failure;
      return { offers: looks.flatMap(({ offers }) => offers).sort(byPrice), markets: looks.map(({ look }) => look) };
    },
    filterOf(market, offerId) {
      const found = [...kept.values()].findLast(
        (one) => one.market === market && one.list.offers.some((offer) => offer.offerId === offerId),
      );
      return found?.filter ?? null;
    },
  };
}

function questionOf(market: string, filter: OfferFilter): string {
  return `${market} ${JSON.stringify(filter, Object.keys(filter).sort())}`;
}

/** Throws `not_found`, naming those there are. */
export function marketOf(markets: readonly Market[], id: string): Market {
  const found = markets.find((market) => market.id === id);
  if (found !== undefined) return found;
  const there = markets.map((market) => market.id).join(", ");
  throw new Failure("not_found", `There is no market "${id}".`, {
    why: there === "" ? "None is set up below markets: of lanthorn.yaml." : `There are ${there}.`,
    next: ["lanthorn rental offers", "lanthorn config show markets"],
  });
}
