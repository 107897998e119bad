/** `responses`, `batch`, `usage` and `cache` of the settings: what is kept, for how long, and how much room it may take. Pure. */
import { z } from "zod";
import { anyText, milliseconds } from "./setting-kinds.ts";

export const responses = z.strictObject({
  keepDays: z
    .int()
    .min(0)
    .max(3650)
    .default(30)
    .describe("How long answers of /v1/responses are kept for clients that ask for it (store); 0: none are"),
});

export const batch = z.strictObject({
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

export const usage = z.strictObject({
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

export const cache = z.strictObject({
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
