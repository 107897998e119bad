/**
 * Looks at what markets ask, seldom and politely, and keeps it. A look that brings nothing good changes nothing: the last good price stays,
 * with its age (S-18). Runs in the server; stopped with it.
 *
 * A market's list may be cut where it is long, so the GPUs of the settings are asked for by name, and one more question is for all the
 * others. One question at a time, none sooner than the market's limits allow, each once in the time of the settings.
 */
import { gpuKey } from "../domain/rental/gpu-name.ts";
import { asFailure } from "../domain/failure.ts";
import type { Nanos } from "../domain/money.ts";
import type { Clock, Log } from "../domain/ports.ts";
import { type RentKind, rentKinds } from "../domain/rental/market.ts";
import { pricesOf, type SeenPoint, type SeenPrice, thinned } from "../domain/rental/prices.ts";
import type { PriceBook } from "../ledger/market-prices.ts";
import type { RentalPrices } from "./desk-parts.ts";
import type { Market } from "./market.ts";

export interface PriceWatchParts {
  readonly markets: readonly Market[];
  readonly book: PriceBook;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs: number;
  /** What the settings would rent there, in any spelling. */
  gpus(market: string): readonly string[];
  /** Our highest bid for such a GPU there now; null: none. */
  ownBid(market: string, gpu: string): Nanos | null;
  /** 0 up to, not including, 1: boxes do not all ask at the same moment. */
  random(): number;
}

export interface PriceWatch extends RentalPrices {
  stop(): void;
}

/** `gpu` null: all but those that are asked for by name. */
interface Question {
  readonly kind: RentKind;
  readonly gpu: string | null;
}

interface Round {
  readonly market: Market;
  readonly questions: readonly Question[];
  asked: number;
  failures: number;
}

const firstLookMs = 5_000;
const lookLimitMs = 60_000;
/** Doublings of the time between two looks, while they fail; and the longest a market may ask to be left alone. */
const longestBackOff = 6;
const longestCoolDownMs = 6 * 3_600_000;
/** Points of one series at most: hours of a month. */
const mostPoints = 744;

export function watchPrices(parts: PriceWatchParts): PriceWatch {
  const { markets, book, clock, log, random } = parts;
  const stop = new AbortController();
  const cancels = new Map<string, () => void>();

  async function look(round: Round): Promise<void> {
    const { market, questions } = round;
    const question = questions[round.asked % questions.length];
    if (question === undefined) return;
    try {
      await ask(market, question, questions);
      round.asked += 1;
      round.failures = 0;
      plan(round, spacingMs(round));
    } catch (thrown) {
      if (stop.signal.aborted) return;
      round.failures += 1;
      const { code, message, coolDownMs } = asFailure(thrown);
      if (round.failures === 1) {
        const fields = { market: market.id, code, err: message };
        log.warn(fields, "what a market asks cannot be read; the last good prices stay");
      }
      const backOffMs = parts.everyMs * 2 ** Math.min(longestBackOff, round.failures);
      plan(round, Math.max(backOffMs, Math.min(longestCoolDownMs, coolDownMs ?? 0)));
    }
  }

  async function ask(market: Market, { kind, gpu }: Question, questions: readonly Question[]): Promise<void> {
    const limit = new AbortController();
    const cancel = clock.after(lookLimitMs, () => limit.abort(new Error("no answer in time")));
    try {
      const filter = { kind, gpuCount: 1, ...(gpu === null ? {} : { gpu }) };
      const list = await market.offers(filter, AbortSignal.any([stop.signal, limit.signal]));
      const named = new Set(gpu === null ? questions.map((one) => gpuKey(one.gpu ?? "")) : []);
      const seen = pricesOf(market.id, kind, list, (name) => parts.ownBid(market.id, name));
      book.write(seen.filter((price) => !named.has(gpuKey(price.gpu))));
    } finally {
      cancel();
    }
  }

  /** The first round is asked as soon as is polite, then each question once in the time of the settings. */
  function spacingMs({ market, questions, asked }: Round): number {
    const politeMs = market.traits.offersEveryMs;
    return asked < questions.length ? politeMs : Math.max(politeMs, parts.everyMs / questions.length);
  }

  function plan(round: Round, inMs: number): void {
    if (stop.signal.aborted) return;
    const jitteredMs = inMs * (1 + 0.2 * random());
    cancels.set(
      round.market.id,
      clock.after(jitteredMs, () => void look(round)),
    );
  }

  for (const market of markets) {
    if (market.type === "static") continue;
    const gpus = new Map(parts.gpus(market.id).map((gpu) => [gpuKey(gpu), gpu]));
    const kinds = market.traits.bids ? rentKinds : (["on-demand"] as const);
    const questions = [...gpus.values(), null].flatMap((gpu) => kinds.map((kind) => ({ kind, gpu })));
    plan({ market, questions, asked: 0, failures: 0 }, firstLookMs);
  }

  return {
    history({ market, gpu, sinceMs }) {
      const wanted = gpu === null ? null : gpuKey(gpu);
      const series = new Map<string, { last: SeenPrice; points: SeenPoint[] }>();
      for (const price of book.since({ market, sinceMs })) {
        if (wanted !== null && gpuKey(price.gpu) !== wanted) continue;
        const key = `${price.market}\n${price.gpu}\n${price.kind}`;
        const there = series.get(key) ?? { last: price, points: [] };
        series.set(key, there);
        there.last = price;
        there.points.push(pointOf(price));
      }
      return [...series.values()].map(({ last, points }) => ({
        ...{ market: last.market, gpu: last.gpu, kind: last.kind, takenAtMs: last.takenAtMs },
        points: thinned(points, mostPoints),
      }));
    },
    stop() {
      stop.abort();
      for (const cancel of cancels.values()) cancel();
    },
  };
}

function pointOf(price: SeenPrice): SeenPoint {
  const { hourMs: atMs, leastPerHourNanos, medianPerHourNanos, offers, ownBidPerHourNanos } = price;
  return { atMs, leastPerHourNanos, medianPerHourNanos, offers, ownBidPerHourNanos };
}
