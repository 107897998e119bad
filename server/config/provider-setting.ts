/** The settings of one provider below `providers:`. Pure. Which types there are is judged where providers are known. */
import { z } from "zod";
import type { DeepReadonly } from "./setting-kinds.ts";

/** The first part of its models' names, so without a slash; `engine` is this box itself. */
export const providerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be a word of small letters, digits and dashes")
  .refine((name) => name !== "engine", 'must not be "engine", which is this box itself');

export const baseUrl = z
  .string()
  .trim()
  .max(1000)
  .refine(isPlainUrl, "must be an address such as https://host/v1, without a user, a query or a key in it");

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const isWeb = url.protocol === "http:" || url.protocol === "https:";
  return isWeb && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

/** Settings are shown to admins and lie in a readable file: a key in a header would be shown with them. */
const secretHeaders = /^(authorization|proxy-authorization|cookie|set-cookie|.*(api[-_]?key|token|secret).*)$/i;

const headers = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, "must be names of headers")
      .refine(
        (name) => !secretHeaders.test(name),
        "must hold no keys: use keyFile, or lanthorn provider add --key-stdin",
      ),
    z
      .string()
      .max(2000)
      .regex(/^[\t\x20-\x7e]*$/, "must be plain text"),
  )
  .default({});

/** SHA-256 of the one certificate that is accepted: of another box, which signs its own. */
const fingerprint = z
  .string()
  .trim()
  .regex(
    /^([0-9a-f]{2}:){31}[0-9a-f]{2}$/i,
    "must be a SHA-256 fingerprint: 32 pairs of hexadecimal digits with colons",
  )
  .transform((text) => text.toUpperCase());

const body = z.record(z.string(), z.unknown());
const tokens = z.int().min(1).max(1_000_000_000);
const milliseconds = z.int().min(10).max(86_400_000);
const modelName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\s\p{Cc}\p{Cs},]+$/u, "must be one word without spaces and commas");

const model = z.union(
  [
    modelName,
    z.strictObject({
      id: modelName,
      alias: modelName.optional(),
      contextLength: tokens.optional(),
      maxOutputTokens: tokens.optional(),
      capabilities: z
        .array(z.enum(["chat", "embeddings", "rerank"]))
        .min(1)
        .optional(),
      extraBody: body.optional(),
    }),
  ],
  { error: "must be a model's name, or a section with its id" },
);

const traits = z.strictObject({
  maxTokensField: z.enum(["max_tokens", "max_completion_tokens"]).optional(),
  noStreamOptions: z.boolean().optional(),
  noDeveloperRole: z.boolean().optional(),
  reportedCost: z.enum(["cost", "estimated_cost"]).optional(),
  extendedSampling: z.boolean().optional(),
  completions: z.boolean().optional(),
  noEmbeddingFormat: z.boolean().optional(),
  rerankLogits: z.boolean().optional(),
});

const timeouts = z.strictObject({
  firstByteMs: milliseconds.default(120_000),
  idleMs: milliseconds.default(60_000),
  wholeMs: milliseconds.default(600_000),
});

export const providerSetting = z.strictObject({
  type: z.string().max(40).optional(),
  enabled: z.boolean().default(true),
  baseUrl: baseUrl.optional(),
  dialect: z.string().max(40).optional(),
  models: z
    .union([z.literal("*"), z.array(model).max(1000)], { error: 'must be "*" or a list of models' })
    .default("*"),
  keyFile: z.string().trim().max(1000).default(""),
  fingerprint: fingerprint.optional(),
  region: z.string().trim().min(1).max(40).optional(),
  dataPolicy: z.enum(["local", "no-retention", "any"]).optional(),
  headers,
  traits: traits.default({}),
  extraBody: body.default({}),
  maxOutputTokens: tokens.optional(),
  timeouts: timeouts.prefault({}),
});

export type ProviderSetting = DeepReadonly<z.output<typeof providerSetting>>;

export const providersSetting = z.record(providerName, providerSetting);
