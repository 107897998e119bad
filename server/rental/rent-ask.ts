/**
 * What somebody wants to rent, as it is asked for: an offer, an entry of `rentals:`, or a few wishes, over the same fields that the
 * settings have. Turned into a filter, terms and an order. Pure, apart from zod; imports settings and the domain only.
 */
import { z } from "zod";
import { type RentalLimits, type RentalSetting, rentalSetting } from "../config/rental-setting.ts";
import { nanosOfUsd } from "../domain/decimal.ts";
import { Failure } from "../domain/failure.ts";
import type { Nanos } from "../domain/money.ts";
import type { LeaseTerms } from "../domain/rental/lease.ts";
import type { OfferFilter } from "../domain/rental/market.ts";

const fields = rentalSetting.shape;

/** Fields are those of an entry of `rentals:`; what is left out is the entry's, or the default. */
export const rentAskFields = {
  /** An entry of `rentals:`. */
  rental: z.string().min(1).max(60).optional(),
  market: fields.market.optional(),
  offerId: z.string().trim().min(1).max(200).optional(),
  gpu: fields.gpu,
  gpuCount: fields.gpuCount.unwrap().optional(),
  vramGb: fields.vramGb.unwrap().optional(),
  kind: fields.kind.unwrap().optional(),
  bidUsdPerHour: fields.bidUsdPerHour,
  mostUsdPerHour: fields.mostUsdPerHour.optional(),
  leastReliability: fields.leastReliability.unwrap().optional(),
  region: fields.region,
  diskGb: fields.diskGb.unwrap().optional(),
  volumeId: fields.volumeId.unwrap().optional(),
  weightsGb: fields.weightsGb.unwrap().optional(),
  image: fields.image.unwrap().optional(),
  bootDeadlineMs: fields.bootDeadlineMs.unwrap().optional(),
  idleStopMs: fields.idleStopMs.unwrap().optional(),
  destroyAfterMs: fields.destroyAfterMs.unwrap().optional(),
  longestMs: fields.longestMs.unwrap().optional(),
  mostUsdPerLease: fields.mostUsdPerLease.unwrap().optional(),
};
export const rentAsk = z.strictObject(rentAskFields);
export type RentAsk = z.output<typeof rentAsk>;

/** Of the fields above, those that are numbers: a query has text for them. */
export const numericAskFields: ReadonlySet<string> = new Set([
  "gpuCount",
  "vramGb",
  "leastReliability",
  "diskGb",
  "weightsGb",
  "bootDeadlineMs",
  "idleStopMs",
  "destroyAfterMs",
  "longestMs",
]);

export interface Asked {
  /** The entry of `rentals:` it is for; null: by hand. */
  readonly rental: string | null;
  readonly setting: RentalSetting;
  /** Null: the cheapest that satisfies the wishes. */
  readonly offerId: string | null;
  /** Null: any that is set up. */
  readonly market: string | null;
}

/** The entry, or the defaults, with what was asked for over it. Throws `not_found` for an entry there is not. */
export function readAsk(ask: RentAsk, rentals: Readonly<Record<string, RentalSetting>>): Asked {
  const { rental, offerId, ...wishes } = ask;
  const entry = rental === undefined ? null : (rentals[rental] ?? null);
  if (rental !== undefined && entry === null) throw noSuchRental(rental, Object.keys(rentals));
  const given = Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined));
  const bare = { market: wishes.market ?? "any", models: ["any"] };
  const base: RentalSetting = entry ?? rentalSetting.parse(bare);
  const setting: RentalSetting = { ...base, ...given, ...(ask.bidUsdPerHour === undefined ? {} : { kind: "bid" }) };
  return {
    rental: rental ?? null,
    setting,
    offerId: offerId ?? null,
    market: wishes.market ?? entry?.market ?? null,
  };
}

function noSuchRental(name: string, there: readonly string[]): Failure {
  return new Failure("not_found", `There is no rental "${name}" in the settings.`, {
    why: there.length === 0 ? "Below rentals: of lanthorn.yaml is none." : `There are ${there.join(", ")}.`,
    next: ["lanthorn rental offers", "lanthorn config show rentals"],
  });
}

export function filterOf(setting: RentalSetting): OfferFilter {
  return {
    ...(setting.gpu === undefined ? {} : { gpu: setting.gpu }),
    gpuCount: setting.gpuCount,
    ...(setting.vramGb === 0 ? {} : { leastVramBytes: gbBytes(setting.vramGb) }),
    kind: setting.kind,
    ...(setting.mostUsdPerHour === undefined ? {} : { mostPerHourNanos: nanosOfUsd(setting.mostUsdPerHour) }),
    ...(setting.leastReliability === 0 ? {} : { leastReliability: setting.leastReliability }),
    ...(setting.region === undefined ? {} : { region: setting.region }),
    diskBytes: gbBytes(setting.diskGb),
  };
}

export function termsOf(setting: RentalSetting, limits: RentalLimits): LeaseTerms {
  return {
    bootDeadlineMs: setting.bootDeadlineMs,
    // Where some are kept although nobody asks them, whoever keeps them stops the others (`wake/fleet.ts`).
    idleStopMs: setting.instances.min + setting.instances.warm > 0 ? null : setting.idleStopMs,
    destroyAfterMs: setting.destroyAfterMs,
    longestMs: setting.longestMs,
    caps: {
      perInstanceNanos: nanosOfUsd(setting.mostUsdPerLease),
      perDayNanos: nanosOfUsd(limits.mostUsdPerDay),
      perMonthNanos: nanosOfUsd(limits.mostUsdPerMonth),
    },
  };
}

/** Null for on-demand. Throws when a bid has no amount. */
export function bidOf(setting: RentalSetting): Nanos | null {
  if (setting.kind !== "bid") return null;
  if (setting.bidUsdPerHour !== undefined) return nanosOfUsd(setting.bidUsdPerHour);
  throw new Failure("invalid_request", "A bid needs its amount.", {
    param: "bidUsdPerHour",
    why: "An absent amount could buy the dear kind.",
    next: ["lanthorn rental offers --kind bid", "lanthorn rental rent <offer> --bid 0.20"],
  });
}

/** Decimal: a card of "24 GB" has a little more than 24 × 10^9 bytes, and less than 24 × 2^30. */
export function gbBytes(gb: number): number {
  return Math.round(gb * 1e9);
}
