/** `markets` and `rentals` of the settings: where machines are rented, and which of them requests may go to. Pure. */
import { z } from "zod";
import { rentKinds } from "../domain/rental/market.ts";
import { meanwhiles } from "../domain/rental/power.ts";
import { dataClasses } from "../domain/routing/target.ts";
import { baseUrl, providerName } from "./provider-setting.ts";
import { anyText, type DeepReadonly, milliseconds, usdAmount as usd } from "./setting-kinds.ts";

const gpuCount = z.int().min(1).max(64);
/** A lease may be longer than a day, and is bounded by a quarter. */
const longMilliseconds = z.int().min(1000).max(7_862_400_000);

export const marketSetting = z.strictObject({
  type: z.string().max(40).optional().describe("vast, runpod or static; the entry's own name when absent"),
  enabled: z.boolean().default(true),
  baseUrl: baseUrl.optional().describe("Another address of its API"),
  keyFile: z.string().trim().max(1000).default("").describe("File with the account's key; it stays on this box"),
  tls: z
    .enum(["pinned", "off"])
    .default("pinned")
    .describe("How machines at a plain address are reached: by TLS with a certificate of their own, or in the clear"),
  machine: z
    .strictObject({
      url: baseUrl,
      usdPerHour: usd,
      gpu: anyText,
      gpuCount: gpuCount.default(1),
      vramGb: z.number().min(0).max(10_000).default(0),
      storageUsdPerHour: usd.default("0"),
    })
    .optional()
    .describe("static: the machine, its address and what one hour of it costs"),
});

const hours = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$/, 'must be hours such as "08:00-18:30"');

export const rentalSetting = z.strictObject({
  market: providerName.describe("Of markets:"),
  models: z.array(anyText).min(1).max(100).describe("What it serves: aliases of the machine's own Lanthorn"),
  modelFacts: z
    .record(
      anyText,
      z.strictObject({
        capabilities: z
          .array(z.enum(["chat", "embeddings", "rerank"]))
          .min(1)
          .default(["chat"]),
        contextLength: z.int().min(1).max(1_000_000_000).optional(),
      }),
    )
    .default({})
    .describe("What is known of a model while its machine is asleep; it chats when nothing is said"),
  dataPolicy: z
    .enum(dataClasses)
    .default("no-retention")
    .describe("What may become of prompts there: the machine is rented, and its owner is somebody else"),
  gpu: anyText.optional(),
  gpuCount: gpuCount.default(1),
  vramGb: z.number().min(0).max(10_000).default(0).describe("Least video memory, all GPUs together"),
  kind: z.enum(rentKinds).default("on-demand"),
  bidUsdPerHour: usd.optional().describe("Needed for a bid"),
  mostUsdPerHour: usd
    .optional()
    .describe("An offer that asks more, disk included, is not taken; needed unless the machine is one of the settings"),
  leastReliability: z.number().min(0).max(1).default(0.95),
  region: z.string().trim().max(40).optional(),
  diskGb: z.number().min(1).max(100_000).default(40),
  volumeId: z
    .string()
    .trim()
    .max(200)
    .default("")
    .describe("A disk that outlives the instance, where the market has one"),
  volumeUsdPerGbMonth: usd.optional().describe("What that disk costs, for the comparison of disks"),
  weightsGb: z.number().min(0).max(100_000).default(0).describe("Size of the weights, for the comparison of disks"),
  image: z.string().trim().max(500).default(""),
  environment: z
    .record(z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/, "must be a name such as LANTHORN_PRELOAD"), z.string().max(4000))
    .default({}),
  keyFile: z.string().trim().max(1000).default("").describe("File with the key of the machine's Lanthorn"),
  mayRent: z.boolean().default(false).describe("A request may rent a new instance, and not only start one"),
  whileAsleep: z.enum(meanwhiles).default("fallback").describe("What requests do until it is ready"),
  bootDeadlineMs: milliseconds.default(900_000),
  idleStopMs: longMilliseconds.default(600_000).describe("Unused for so long it is stopped"),
  destroyAfterMs: longMilliseconds.default(86_400_000).describe("Stopped for so long it is destroyed"),
  longestMs: longMilliseconds.default(43_200_000).describe("A lease ends after so long, whatever it does"),
  mostUsdPerLease: usd.default("10"),
  instances: z
    .strictObject({
      min: z.int().min(0).max(32).default(0),
      max: z.int().min(1).max(32).default(1),
      warm: z.int().min(0).max(32).default(0).describe("Kept started beyond what is used"),
      hours: hours.optional().describe("min and warm hold within these hours only"),
      weekdaysOnly: z.boolean().default(false),
      scaleUpQueue: z.int().min(1).max(1000).default(4).describe("Waiting requests per instance that start another"),
    })
    .prefault({}),
});

export const marketsSetting = z.record(providerName, marketSetting);
export const rentalsSetting = z.record(providerName, rentalSetting);

export const rentalLimitsSetting = z.strictObject({
  mostUsdPerDay: usd.default("20").describe("What all leases together may cost in a day"),
  mostUsdPerMonth: usd.default("200").describe("What all leases together may cost in a month"),
  pollMs: milliseconds.min(1000).default(10_000).describe("Between two looks at what is rented"),
  pricesEveryMs: milliseconds.min(60_000).default(600_000).describe("Between two looks at what markets ask"),
});

export type MarketSetting = DeepReadonly<z.output<typeof marketSetting>>;
export type RentalSetting = DeepReadonly<z.output<typeof rentalSetting>>;
export type RentalLimits = DeepReadonly<z.output<typeof rentalLimitsSetting>>;
