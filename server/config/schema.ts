/**
 * Every setting of the box: its type, bounds, default and one sentence about it. Pure; runs wherever settings are read.
 *
 * The names are the ones of `lanthorn.yaml`. The environment variable of a setting follows from its name
 * (`engine.tokenGapMs` is LANTHORN_ENGINE_TOKEN_GAP_MS), and `config show` and docs/configuration.md are drawn from here.
 */
import { z } from "zod";
import { budgetsSetting } from "./budget-setting.ts";
import { batch, cache, responses, usage } from "./kept-setting.ts";
import { powerSetting, savingsSetting, tasksSetting } from "./money-setting.ts";
import { price, unknownPrice } from "./price-setting.ts";
import { providersSetting } from "./provider-setting.ts";
import { marketsSetting, rentalLimitsSetting, rentalsSetting } from "./rental-setting.ts";
import { routesSetting } from "./route-setting.ts";
import { anyText, type DeepReadonly, milliseconds } from "./setting-kinds.ts";
import { homeSetting, optionalUrl, thisRentalSetting } from "./this-rental-setting.ts";
import { zoneOrOwn } from "./zone-setting.ts";

/** Tokens one request may hold. */
const contextTokens = z.int().min(64).max(16_777_216);
const slotCount = z.int().min(1).max(256);
/** How long a model that nobody uses stays in memory. */
const keepAlive = z.union([z.literal("always"), milliseconds], {
  error: 'must be "always" or a whole number of milliseconds up to 86400000',
});

const bytesPerUnit: Readonly<Record<string, number>> = Object.freeze({
  B: 1,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
});

/** Bytes, as a number or with a unit: `12GiB`, `900 MB`. */
const byteSize = z.union(
  [
    z.int().min(0),
    z
      .string()
      .regex(/^\s*\d{1,9}(\.\d{1,3})?\s*([KMGT]i?)?B\s*$/i)
      .transform((text) => {
        const [, amount = "", unit = ""] = /^\s*([\d.]+)\s*(\w+)\s*$/.exec(text) ?? [];
        return Math.floor(Number(amount) * (bytesPerUnit[unit.toUpperCase()] ?? 1));
      }),
  ],
  { error: 'must be a size such as "12GiB", or a number of bytes' },
);

/** An alias is what clients send as `model`; `/`, `:` and `@` are usual in it. */
export const aliasName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\s\p{Cc}\p{Cs},]+$/u, "must be one word without spaces and commas");

export const modelSetting = z.strictObject({
  path: anyText.describe("A GGUF file"),
  alias: aliasName.optional().describe("What clients ask for; the file's name when absent"),
  context: contextTokens.optional().describe("Tokens one request may hold"),
  slots: slotCount.optional().describe("Requests answered at the same time"),
  kind: z
    .enum(["chat", "embedding", "rerank"])
    .optional()
    .describe("What it is used for; its header decides when absent"),
  keepAliveMs: keepAlive.optional().describe("Unused for so long it leaves memory; engine.keepAliveMs when absent"),
  pin: z.boolean().optional().describe("Never pushed out of memory and never unloaded by time"),
  preload: z.boolean().optional().describe("Load it at the start; true when absent"),
});

const engine = z.strictObject({
  threads: z
    .union([z.literal("auto"), z.int().min(1).max(1024)], { error: 'must be "auto" or a whole number from 1 to 1024' })
    .default("auto")
    .describe("CPU threads of one worker"),
  slots: slotCount.default(4).describe("Requests one model answers at the same time"),
  context: z
    .union([z.literal("auto"), contextTokens], { error: 'must be "auto" or a whole number from 64 to 16777216' })
    .default("auto")
    .describe("Tokens one request may hold, prompt and answer together"),
  batchSize: z.int().min(32).max(8192).default(512).describe("Most tokens computed in one step"),
  tokenGapMs: milliseconds
    .min(10)
    .default(600)
    .describe("Longest gap that a new prompt may put between two tokens of running answers"),
  queue: z.int().min(0).max(100_000).default(64).describe("Requests that may wait for one model"),
  loadTimeoutMs: milliseconds.min(1000).default(120_000).describe("Longest time a model may take to load"),
  watchdogMs: milliseconds.min(500).default(10_000).describe("A worker silent for longer is replaced"),
  memoryLimit: z
    .union([z.literal("auto"), byteSize], { error: 'must be "auto", a size such as "12GiB", or a number of bytes' })
    .default("auto")
    .describe("Most memory that all loaded models together may take; auto: what the machine has"),
  keepAliveMs: keepAlive
    .default(1_800_000)
    .describe("A model that nobody uses for so long leaves memory; always: never"),
  minimumStayMs: milliseconds
    .default(5000)
    .describe("A model that was loaded for a request is not pushed out by another before it was there so long"),
  snapshotBytes: z
    .int()
    .min(0)
    .max(2 ** 40)
    .default(2 ** 30)
    .describe("Most memory for saved prefixes, all models together; 0 keeps none in memory"),
  kvStore: z
    .enum(["auto", "off", "ram", "disk"])
    .default("auto")
    .describe(
      "Where computed prefixes are kept: off, in memory, or on disk too; auto: disk, and ram in a container or rental",
    ),
  kvStoreBytes: z
    .int()
    .min(0)
    .max(2 ** 44)
    .default(8 * 2 ** 30)
    .describe("Most bytes that saved prefixes may take on disk, all models together"),
  hygiene: z
    .enum(["on", "off"])
    .default("on")
    .describe("Leave out of prompts what agents change in every request, so that the prefix stays equal"),
  templateTimeLimitMs: milliseconds.min(10).default(2000).describe("Longest time a chat template may run"),
});

const hardware = z.strictObject({
  sampleMs: milliseconds
    .refine((ms) => ms === 0 || ms >= 250, "must be 0 or a whole number from 250")
    .default(10_000)
    .describe("Between two looks at the GPUs' memory, power and temperature; 0: the hardware is not looked at"),
  whenGpuLost: z
    .enum(["error", "cpu"])
    .default("error")
    .describe("What becomes of requests while a GPU does not answer: an error that says so, or the slow CPU"),
});

const http = z.strictObject({
  bodyLimitBytes: z
    .int()
    .min(1024)
    .max(1024 ** 3)
    .default(32 * 1024 ** 2)
    .describe("Largest request body"),
  keepAliveMs: milliseconds.min(100).default(5000).describe("A silent stream gets a sign of life this often"),
  headerTimeoutMs: milliseconds.min(1000).default(10_000).describe("A client must have sent its headers by then"),
  wholeLimitMs: z
    .union([z.literal("auto"), z.literal(0), milliseconds.min(1000)], {
      error: 'must be "auto", 0, or a whole number of milliseconds from 1000',
    })
    .default("auto")
    .describe(
      "Longest time for an answer in one piece; 0: as long as it needs; auto: 95 s behind a proxy that cuts it off at 100",
    ),
});

/** Path of a file; relative ones lie in the data folder. Empty: none. */
const optionalFile = z.string().trim().max(1000).default("");

const tls = z.strictObject({
  mode: z
    .enum(["off", "self-signed", "files"])
    .default("off")
    .describe("self-signed: the box makes a certificate; files: yours"),
  cert: optionalFile.describe("Your certificate in PEM form, its chain after it"),
  key: optionalFile.describe("The key of your certificate, without a passphrase"),
});

const network = z.strictObject({
  caFile: optionalFile.describe("Certificate authorities of your own to trust when this box calls others, in PEM form"),
  localOnly: z
    .boolean()
    .default(false)
    .describe("No request leaves the owner's own machines: providers whose data policy is not local are never called"),
});

const hub = z.strictObject({
  endpoint: z
    .string()
    .trim()
    .max(1000)
    .default("")
    .describe("Where models are downloaded from; empty: HF_ENDPOINT, else https://huggingface.co"),
});

const downloads = z.strictObject({
  rateLimitBytesPerSecond: z
    .int()
    .min(0)
    .max(2 ** 40)
    .default(0)
    .describe("Speed of all downloads together; 0: no limit"),
  parallel: z.int().min(1).max(16).default(4).describe("Connections of one download"),
  atOnce: z.int().min(1).max(4).default(1).describe("Downloads at the same time; further ones wait"),
  patienceMs: milliseconds.min(1000).default(1_800_000).describe("How long a download tries without a new byte"),
  keepFreeBytes: z
    .int()
    .min(0)
    .max(2 ** 50)
    .default(2 ** 30)
    .describe("What downloads leave free on the disk"),
});

/** Per caller and minute; 0 is no limit. */
const perMinute = z.int().min(0).max(1_000_000_000).default(0);

/** Limits of one person, model or provider. */
const ownLimits = z
  .strictObject({
    requestsPerMinute: z.int().min(0).max(1_000_000_000),
    tokensPerMinute: z.int().min(0).max(1_000_000_000),
    concurrent: z.int().min(0).max(100_000),
  })
  .partial();
const limitsOfMany = z.record(z.string().min(1).max(200), ownLimits).default({});

const limits = z.strictObject({
  requestsPerMinute: perMinute.describe("Requests one key may send per minute; 0: no limit"),
  tokensPerMinute: perMinute.describe("Tokens one key may use per minute, prompts and answers; 0: no limit"),
  concurrent: z.int().min(0).max(100_000).default(0).describe("Requests of one key at the same time; 0: no limit"),
  waitMs: milliseconds.default(0).describe("How long a request past a limit waits for room before it is refused"),
  persons: limitsOfMany.describe("The same three by person, all their keys together; *: whoever is not named"),
  models: limitsOfMany.describe("The same three by alias, whoever asks; *: every alias that is not named"),
  providers: limitsOfMany.describe("The same three by provider, for each attempt there; *: every one not named"),
});

const log = z.strictObject({
  level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").describe("Least serious line written"),
});

const idle = z.strictObject({
  whenIdle: z
    .enum(["auto", "stay", "exit", "command", "stop-rental", "destroy-rental"])
    .default("auto")
    .describe(
      "When nobody asked for so long: nothing, the server ends, a command runs, or the rental of this machine; auto: stop-rental on a headless rental that can, else stay",
    ),
  afterMs: milliseconds
    .min(1000)
    .default(1_200_000)
    .describe("How long nobody must have asked; only inference, downloads and stay-awake count"),
  command: z
    .array(anyText)
    .max(100)
    .default([])
    .describe("The program of whenIdle: command and its arguments; no shell"),
});

const shutdown = z.strictObject({
  graceMs: z
    .union([z.literal("auto"), milliseconds], {
      error: 'must be "auto" or a whole number of milliseconds up to 86400000',
    })
    .default("auto")
    .describe("How long running requests may still take when the box stops; auto: 10 s, on a rental 3 s"),
});

export const configSchema = z.strictObject({
  host: anyText.default("127.0.0.1").describe("Address to listen on"),
  port: z.int().min(0).max(65_535).default(4747).describe("Port to listen on; 0 picks a free one"),
  auth: z
    .enum(["auto", "always"])
    .default("auto")
    .describe("auto: on a loopback address inference needs no key; always: it does"),
  headless: z.boolean().default(false).describe("No person at this box: a key is needed from 127.0.0.1 too"),
  hosts: z
    .array(
      z
        .string()
        .min(1)
        .max(253)
        .regex(/^[^\s/]+$/, "must be a host name or an address, without http:// and without a path"),
    )
    .max(100)
    .default([])
    .describe("Further names this box is reached by, for the Host check"),
  announce: z
    .enum(["auto", "on", "off"])
    .default("auto")
    .describe("Tell the LAN of this box by mDNS; auto: when it listens there and is no container or rental"),
  publicUrl: optionalUrl.default("").describe("Address that others reach this box by, where it cannot know it itself"),
  preload: z
    .string()
    .trim()
    .max(1000)
    .default("")
    .describe("A model to have in memory before the box is ready: an alias, a file, or one to download"),
  zone: zoneOrOwn.describe(
    "Where hours, days, weeks and months begin, of budgets, savings, forecasts and rentals: a time zone by its IANA name; empty: the machine's own",
  ),
  models: z.array(modelSetting).max(1000).default([]).describe("Models to serve besides the data folder's models/"),
  providers: providersSetting.default({}).describe("Cloud providers and other servers to ask, by name"),
  routes: routesSetting.default({}).describe("What names of your own lead to: targets, in which order, and when"),
  markets: marketsSetting.default({}).describe("Where machines are rented, by name"),
  rentals: rentalsSetting
    .default({})
    .describe("Machines that requests may go to, rented or started when they are needed"),
  rentalLimits: rentalLimitsSetting.prefault({}).describe("What all rented machines together may cost"),
  thisRental: thisRentalSetting.prefault({}).describe("What this machine is when it is a rented one"),
  home: homeSetting.prefault({}).describe("The box that rented this machine"),
  engine: engine.prefault({}).describe("The engine"),
  hardware: hardware.prefault({}).describe("The hardware"),
  http: http.prefault({}).describe("The HTTP server"),
  tls: tls.prefault({}).describe("Encryption"),
  network: network.prefault({}).describe("Calls to others"),
  hub: hub.prefault({}).describe("Where models come from"),
  downloads: downloads.prefault({}).describe("Downloads"),
  limits: limits.prefault({}).describe("Rate limits, the same for each key; keyless callers count as one"),
  prices: z.array(price).max(1000).default([]).describe("Prices of your own; each wins over the price book"),
  unknownPrice: unknownPrice.prefault({}).describe("Models without a known price"),
  budgets: budgetsSetting.prefault({}).describe("What may be spent at providers"),
  power: powerSetting.prefault({}).describe("What this box itself costs"),
  tasks: tasksSetting.describe("Which requests are for which task, by alias or by key (its person's name)"),
  savings: savingsSetting.prefault({}).describe("What is compared with what was spent"),
  responses: responses.prefault({}).describe("Answers that clients ask to be kept"),
  usage: usage.prefault({}).describe("The single requests that the ledger keeps"),
  batch: batch.prefault({}).describe("Files and batches"),
  cache: cache.prefault({}).describe("Exact response cache"),
  log: log.prefault({}).describe("The log"),
  idle: idle.prefault({}).describe("When nobody needs the box"),
  shutdown: shutdown.prefault({}).describe("Stopping"),
});

export type Config = DeepReadonly<z.output<typeof configSchema>>;
export type ModelSetting = Config["models"][number];
export type PriceSettings = Config["prices"];
