/**
 * Every setting of the box: its type, bounds, default and one sentence about it. Pure; runs wherever settings are read.
 *
 * The names are the ones of `lanthorn.yaml`. The environment variable of a setting follows from its name
 * (`engine.tokenGapMs` is LANTHORN_ENGINE_TOKEN_GAP_MS), and `config show` and docs/configuration.md are drawn from here.
 */
import { z } from "zod";
import { budgetsSetting } from "./budget-setting.ts";
import { powerSetting, savingsSetting, tasksSetting } from "./money-setting.ts";
import { providersSetting } from "./provider-setting.ts";
import { routesSetting } from "./route-setting.ts";

type DeepReadonly<T> = T extends readonly (infer Element)[]
  ? readonly DeepReadonly<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

const anyText = z.string().trim().min(1).max(1000);
/** Times are bounded by a day, so that a slip of the keyboard is noticed. */
const milliseconds = z.int().min(0).max(86_400_000);
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

/** US dollars in decimals, exactly as written: `"0.003625"`, or a number whose digits say the same. */
const usd = z
  .union([z.string(), z.number().transform(String)])
  .pipe(z.string().regex(/^\d{1,6}(\.\d{1,6})?$/, 'must be an amount such as "0.25", with six decimals at most'));
/** A day or a moment, in UTC. */
const utcTime = z.union([z.iso.date(), z.iso.datetime()], {
  error: 'must be a day such as "2026-12-31" or a UTC time such as "2026-12-31T16:00:00Z"',
});

/** US dollars per million tokens; what is left out is taken at the price of the prompt. */
const price = z.strictObject({
  provider: anyText.describe("The provider's name"),
  model: anyText.describe("The model, exactly as the provider names it"),
  aliases: z.array(anyText).max(100).optional().describe("Further exact names at the same price"),
  prompt: usd,
  completion: usd,
  cached: usd.optional(),
  cacheWrite5m: usd.optional(),
  cacheWrite1h: usd.optional(),
  perRequest: usd.optional().describe("US dollars for each request, not for a million"),
  batchAtHalf: z.boolean().optional().describe("Batches cost half"),
  from: utcTime.optional(),
  until: utcTime.optional(),
});

/** Dearer than any model of the price book at its standard price. */
const unknownPrice = z.strictObject({
  prompt: usd.default("30").describe("Held per million tokens of a prompt when a model has no known price, in USD"),
  completion: usd
    .default("75")
    .describe("Held per million tokens of an answer when a model has no known price, in USD"),
});

const responses = z.strictObject({
  keepDays: z
    .int()
    .min(0)
    .max(3650)
    .default(30)
    .describe("How long answers of /v1/responses are kept for clients that ask for it (store); 0: none are"),
});

const batch = z.strictObject({
  keepDays: z
    .int()
    .min(0)
    .max(3650)
    .default(30)
    .describe("How long files of /v1/files and what came of a batch are kept at most; 0: there are no batches"),
  fileLimitBytes: z
    .int()
    .min(1024)
    .max(2 ** 34)
    .default(200 * 2 ** 20)
    .describe("Largest file of /v1/files"),
  storeBytes: z
    .int()
    .min(0)
    .max(2 ** 44)
    .default(4 * 2 ** 30)
    .describe("Most bytes of uploaded files and outputs together"),
  keepFreeBytes: z
    .int()
    .min(0)
    .max(2 ** 50)
    .default(2 ** 30)
    .describe("What uploads and batches leave free on the disk"),
  atOnce: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("Lines of batches at the same time while nobody else asks; one while somebody does"),
});

const usage = z.strictObject({
  keepDays: z
    .int()
    .min(0)
    .max(3650)
    .refine(
      (days) => days === 0 || days >= 32,
      "must be 0, or at least 32: what a month's budget has spent is added up from the rows",
    )
    .default(0)
    .describe(
      "How long each request's own row is kept, at least 32 days; its share of the sums stays for ever. 0: for ever too",
    ),
});

const cachedAlias = z.strictObject({
  ttlMs: milliseconds.min(1).default(3_600_000),
  sharedAcrossKeys: z.boolean().default(false),
  sampled: z.boolean().default(false),
});

const cache = z.strictObject({
  maxBytes: z
    .int()
    .min(0)
    .max(2 ** 34)
    .default(64 * 2 ** 20)
    .describe("Most memory for answers that are given again"),
  aliases: z
    .record(anyText, cachedAlias)
    .default({})
    .describe("Aliases whose answers are given again to the very same request: ttlMs, sharedAcrossKeys, sampled"),
});

const log = z.strictObject({
  level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").describe("Least serious line written"),
});

const idle = z.strictObject({
  whenIdle: z
    .enum(["stay", "exit", "command"])
    .default("stay")
    .describe("What happens when nobody asked for so long: nothing, the server ends, or a command runs"),
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
  graceMs: milliseconds.default(10_000).describe("How long running requests may still take when the box stops"),
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
  models: z.array(modelSetting).max(1000).default([]).describe("Models to serve besides the data folder's models/"),
  providers: providersSetting.default({}).describe("Cloud providers and other servers to ask, by name"),
  routes: routesSetting.default({}).describe("What names of your own lead to: targets, in which order, and when"),
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
