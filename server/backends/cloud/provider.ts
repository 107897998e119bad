/**
 * What a provider is: data. Its wire shape is code and lives in `server/dialects`; where providers of one shape differ there are
 * named traits and never a question for the name. Pure types; a file each in `providers/` and `../peer/`.
 */
import type { CallTraits } from "../../dialects/called.ts";

/** Who may come to know what a request says. `local`: only machines of the owner; `no-retention`: nobody keeps it. */
export type DataPolicy = "local" | "no-retention" | "any";

export type ProviderAbility = "chat" | "tools" | "images" | "json-schema" | "reasoning" | "embeddings" | "rerank";

/** How the key is sent. A scheme stands before it: `Bearer`. */
export interface AuthHeader {
  /** Lower case. */
  readonly header: string;
  readonly scheme: "Bearer" | null;
}

/** Lower-case names of answer headers that say what is left; null: none. */
export interface LimitHeaders {
  readonly limit: string | null;
  readonly remaining: string;
  readonly reset: string | null;
}

export interface Provider {
  /** Its file's name, and what `type:` says in the settings. */
  readonly id: string;
  readonly title: string;
  /** A peer is a machine or a program of the owner, or of somebody the owner trusts like that. */
  readonly kind: "cloud" | "peer";
  /** Without a slash at its end; null: it has to be given. */
  readonly baseUrl: string | null;
  /** Of `calledDialects`. */
  readonly dialect: string;
  /** Null: it knows no keys. */
  readonly auth: AuthHeader | null;
  /** It answers nobody without a key. */
  readonly needsKey: boolean;
  /** The header that our own request's id goes in, so that both ledgers can be joined; absent: nobody there wants it. */
  readonly requestIdHeader?: string;
  /** Sent with every call. */
  readonly headers: Readonly<Record<string, string>>;
  readonly traits: CallTraits;
  /** What some model of it can; what one model can is for its entry in the settings to narrow. */
  readonly abilities: readonly ProviderAbility[];
  /** Where it computes, as it says itself; null: not said. */
  readonly region: string | null;
  /** As far as its public terms for everybody go; a contract of the owner's may allow more (`dataPolicy:`). */
  readonly dataPolicy: DataPolicy;
  /** Environment variables that its own tools read the key from, the likeliest first. */
  readonly keyVariables: readonly string[];
  /** Whose prices these are in the price book; null: it has no price per token. */
  readonly priceSource: string | null;
  /** What is added to the price when credit is bought, in hundredths of a percent: 550 is 5.5 %. */
  readonly creditFeeBasisPoints?: number;
  readonly limits: { readonly requests: LimitHeaders | null; readonly tokens: LimitHeaders | null } | null;
  /** Behind the base URL: says how much credit the key has left; null: there is no such place. */
  readonly creditPath: string | null;
  /** Endings of a model's name that steer it and are no part of it for prices: `:nitro`. */
  readonly modelSuffixes?: readonly string[];
  /** One or two sentences for whoever sets it up. */
  readonly notes: string;
  readonly docsUrl: string;
  /** It cannot be called by any shape we speak: what to do instead. */
  readonly refused?: string;
}

/** OpenAI's names, which most others took over. */
export const openaiLimits = Object.freeze({
  requests: Object.freeze({
    limit: "x-ratelimit-limit-requests",
    remaining: "x-ratelimit-remaining-requests",
    reset: "x-ratelimit-reset-requests",
  }),
  tokens: Object.freeze({
    limit: "x-ratelimit-limit-tokens",
    remaining: "x-ratelimit-remaining-tokens",
    reset: "x-ratelimit-reset-tokens",
  }),
});

export const bearer: AuthHeader = Object.freeze({ header: "authorization", scheme: "Bearer" });
