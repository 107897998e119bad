/**
 * What this very machine is when somebody rents it, and the box that rented it: `thisRental` and `home` of the settings. Pure.
 * `rentals` is the other side: machines that this box rents.
 */
import { z } from "zod";
import { rentalMarkets } from "../domain/rental/this-rental.ts";
import { baseUrl } from "./provider-setting.ts";
import { milliseconds } from "./setting-kinds.ts";

/** An address, or nothing. */
export const optionalUrl = z.union([z.literal(""), baseUrl], {
  error: "must be an address such as https://host:4747, without a user, a query or a key in it",
});

/** As `Date` reads it and nobody reads it otherwise: with a time and a zone. */
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

export const thisRentalSetting = z.strictObject({
  market: z
    .enum(["", ...rentalMarkets])
    .default("")
    .describe("Where this machine is rented: vast or runpod; empty: as the market's own variables say")
    .meta({ variable: "LANTHORN_RENTAL_MARKET" }),
  instanceId: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9_-]{0,100}$/, "must be the market's number or name of this machine")
    .default("")
    .describe("The market's number of this machine; empty: CONTAINER_ID or RUNPOD_POD_ID")
    .meta({ variable: "LANTHORN_RENTAL_INSTANCE_ID" }),
  marketUrl: optionalUrl
    .default("")
    .describe("Another address of the market's API")
    .meta({ variable: "LANTHORN_MARKET_URL" }),
  endsAt: z
    .string()
    .trim()
    .refine((text) => text === "" || (moment.test(text) && !Number.isNaN(Date.parse(text))), {
      error: 'must be a time with its zone, such as "2026-12-01T18:00:00Z"',
    })
    .default("")
    .describe("When this rental ends, whatever it does: it is destroyed then; empty: nobody said")
    .meta({ variable: "LANTHORN_RENTAL_ENDS_AT" }),
  finishMs: milliseconds
    .default(60_000)
    .describe("How long running answers may still take before this rental ends itself")
    .meta({ variable: "LANTHORN_RENTAL_FINISH_MS" }),
});

export const homeSetting = z.strictObject({
  url: optionalUrl.default("").describe("The box that rented this machine: it is told when this one goes"),
  publicKey: z
    .string()
    .trim()
    .regex(/^([A-Za-z0-9+/_-]{43}=?)?$/, "must be an Ed25519 public key: 32 bytes in base64")
    .default("")
    .describe("Its public key, which its heartbeats are checked with"),
  silenceMs: milliseconds
    .refine((ms) => ms === 0 || ms >= 1000, "must be 0 or a whole number from 1000")
    .default(2_700_000)
    .describe("Home silent for so long: this rental ends itself. 0: it does not"),
  whenSilent: z
    .enum(["stop-rental", "destroy-rental"])
    .default("stop-rental")
    .describe("How it ends then: stopped keeps its disk, and goes on costing that"),
});
