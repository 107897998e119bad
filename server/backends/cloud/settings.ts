/** One provider as it is configured here: the data of its file with what the owner set over it. Pure. */
import type { CallTraits } from "../../dialects/called.ts";
import type { Capability, Feature, ServedModel } from "../../domain/model.ts";
import type { DataPolicy, Provider } from "./provider.ts";

export interface CloudModel {
  /** As the provider names it. */
  readonly id: string;
  /** What clients ask for; null: `<provider>/<id>`. */
  readonly alias: string | null;
  /** Tokens; null: not known. */
  readonly contextLength: number | null;
  readonly maxOutputTokens: number | null;
  readonly capabilities: readonly Capability[];
  readonly extraBody: Readonly<Record<string, unknown>>;
}

export interface CloudTimeouts {
  /** From the request to the first byte of a streamed answer. */
  readonly firstByteMs: number;
  /** Between two pieces of a streamed answer. */
  readonly idleMs: number;
  /** A whole answer, to its end. */
  readonly wholeMs: number;
}

export interface CloudSettings {
  /** What the settings call it: the first part of its models' names. */
  readonly id: string;
  readonly provider: Provider;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly dialect: string;
  /** `*`: whatever is asked for is passed on; the provider says what it does not have. */
  readonly models: readonly CloudModel[] | "*";
  readonly headers: Readonly<Record<string, string>>;
  readonly traits: CallTraits;
  readonly extraBody: Readonly<Record<string, unknown>>;
  readonly maxOutputTokens: number | null;
  readonly region: string | null;
  readonly dataPolicy: DataPolicy;
  readonly timeouts: CloudTimeouts;
}

const noBody: Readonly<Record<string, unknown>> = Object.freeze({});

/** The model that a name means here; null: none. `id/model`, `model` as the provider names it, or its alias. */
export function findModel(settings: CloudSettings, asked: string): CloudModel | null {
  const prefix = `${settings.id}/`;
  const bare = asked.startsWith(prefix) ? asked.slice(prefix.length) : asked;
  if (settings.models !== "*") {
    return settings.models.find(({ id, alias }) => alias === asked || id === asked || id === bare) ?? null;
  }
  if (bare === "") return null;
  return {
    id: bare,
    alias: null,
    contextLength: null,
    maxOutputTokens: null,
    capabilities: capabilitiesOf(settings.provider),
    extraBody: noBody,
  };
}

export function servedModel(settings: CloudSettings, model: CloudModel): ServedModel {
  return {
    alias: model.alias ?? `${settings.id}/${model.id}`,
    capabilities: model.capabilities,
    embeddingLength: null,
    fileName: "",
    sizeBytes: 0,
    createdAtMs: 0,
    contextLength: model.contextLength ?? 0,
    slots: 0,
    elsewhere: { provider: settings.provider.id, model: model.id },
    features: featuresOf(settings.provider),
    data: settings.dataPolicy,
    region: settings.region,
    demo: false,
  };
}

/** What some model of it does; which one, nobody wrote down, and the provider itself says what a model of it does not. */
function capabilitiesOf({ abilities }: Provider): readonly Capability[] {
  return ["chat", ...(["embeddings", "rerank"] as const).filter((capability) => abilities.includes(capability))];
}

/** What its models take, in routing's words: a provider that reads images reads files too. */
function featuresOf({ abilities }: Provider): readonly Feature[] {
  const can = (ability: Provider["abilities"][number]) => abilities.includes(ability);
  return [
    ...(can("tools") ? (["tools"] as const) : []),
    ...(can("images") ? (["images", "files"] as const) : []),
    ...(can("json-schema") ? (["json-schema"] as const) : []),
  ];
}

/** The bound of the answer: what was asked, within what the model and the provider are allowed here. Null: none. */
export function answerBound(settings: CloudSettings, model: CloudModel, asked: number | null): number | null {
  const bounds = [asked, model.maxOutputTokens, settings.maxOutputTokens].filter((bound) => bound !== null);
  return bounds.length === 0 ? null : Math.min(...bounds);
}
