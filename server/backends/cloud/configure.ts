/** Makes a provider of the settings into what the backend takes, or says what is wrong with it. Pure. */
import { closest } from "../../config/closest.ts";
import type { ProviderSetting } from "../../config/provider-setting.ts";
import { Failure } from "../../domain/failure.ts";
import { findProvider, providers } from "./providers/index.ts";
import type { CloudModel, CloudSettings } from "./settings.ts";

function wrong(id: string, why: string, field: string, next: readonly string[] = []): Failure {
  return new Failure("cannot_start", `The provider "${id}" cannot be used as set.`, {
    why,
    next: next.length > 0 ? next : ["lanthorn provider list"],
    param: `providers.${id}.${field}`,
  });
}

/** Throws Failure `cannot_start` that names the setting. */
export function configureProvider(id: string, setting: ProviderSetting): CloudSettings {
  const type = setting.type ?? id;
  const provider = findProvider(type);
  if (provider === null) {
    const known = Object.keys(providers);
    const meant = closest(type, known);
    const hint =
      meant === null ? `Known: ${known.join(", ")}; any other server is type: custom.` : `Did you mean "${meant}"?`;
    throw wrong(id, `There is no type "${type}". ${hint}`, "type");
  }
  if (provider.refused !== undefined) throw wrong(id, provider.refused, "type");
  const baseUrl = (setting.baseUrl ?? provider.baseUrl)?.replace(/\/+$/, "");
  if (setting.fingerprint !== undefined && baseUrl?.startsWith("https:") !== true) {
    throw wrong(id, "A server known by its certificate is called over https only.", "baseUrl");
  }
  if (baseUrl === undefined) throw wrong(id, `${provider.title} needs a baseUrl.`, "baseUrl");
  return {
    id,
    provider,
    baseUrl,
    dialect: setting.dialect ?? provider.dialect,
    models: setting.models === "*" ? "*" : setting.models.map(modelOf),
    headers: setting.headers,
    traits: { ...provider.traits, ...present(setting.traits) },
    extraBody: setting.extraBody,
    maxOutputTokens: setting.maxOutputTokens ?? null,
    region: setting.region ?? provider.region,
    dataPolicy: setting.dataPolicy ?? provider.dataPolicy,
    timeouts: setting.timeouts,
  };
}

function modelOf(model: Exclude<ProviderSetting["models"], "*">[number]): CloudModel {
  const entry = typeof model === "string" ? { id: model } : model;
  return {
    id: entry.id,
    alias: entry.alias ?? null,
    contextLength: entry.contextLength ?? null,
    maxOutputTokens: entry.maxOutputTokens ?? null,
    capabilities: entry.capabilities ?? ["chat"],
    extraBody: entry.extraBody ?? {},
  };
}

/** Without what is there and says nothing. */
function present<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
