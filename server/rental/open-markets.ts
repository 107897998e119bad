/**
 * The markets of the settings, with their keys: from the file that is named, from `LANTHORN_MARKET_<NAME>_KEY`, else from the variable of
 * the market's own tools, which is for the market's own address only. Runs in the server and in commands. Contacts nobody.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { MarketSetting } from "../config/rental-setting.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import type { UpstreamFetch } from "../platform/upstream/upstream-fetch.ts";
import type { Market } from "./market.ts";
import { marketTypes } from "./markets/index.ts";
import type { MarketType } from "./markets/market-type.ts";

export interface MarketsParts {
  /** `markets:` of the settings. */
  readonly settings: Readonly<Record<string, MarketSetting>>;
  readonly upstream: Pick<UpstreamFetch, "fetch">;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The data folder, for relative files. */
  readonly home: string;
  readonly clock: Clock;
  /** Nothing outside is asked then. */
  readonly localOnly: boolean;
  /** Told of every secret, so that it can be taken out of texts. */
  readonly knowSecret: (secret: string) => void;
}

/** Throws Failure `cannot_start` for an entry that cannot be used. */
export function openMarkets(parts: MarketsParts): readonly Market[] {
  return Object.entries(parts.settings).flatMap(([id, setting]) => {
    if (!setting.enabled) return [];
    const type = marketTypes[setting.type ?? id];
    if (type === undefined) {
      throw cannot(id, `There is no market "${setting.type ?? id}". Known: ${Object.keys(marketTypes).join(", ")}.`);
    }
    if (type.baseUrl !== null && parts.localOnly) return [];
    if (type.baseUrl === null && setting.machine === undefined)
      throw cannot(id, "It needs its machine: url, usdPerHour and gpu.");
    const secret = type.baseUrl === null ? null : keyOf(id, setting, type, parts);
    if (secret !== null) parts.knowSecret(secret);
    const baseUrl = (setting.baseUrl ?? type.baseUrl ?? "").replace(/\/+$/, "");
    const title = id === type.type ? type.title : `${type.title} (${id})`;
    return [type.open({ title, baseUrl, secret, upstream: parts.upstream, clock: parts.clock }, id, setting)];
  });
}

function keyOf(id: string, { keyFile, baseUrl }: MarketSetting, type: MarketType, parts: MarketsParts): string | null {
  const { environment, home } = parts;
  if (keyFile !== "") {
    try {
      const key = readFileSync(resolve(home, keyFile), "utf8").trim();
      if (key !== "") return key;
    } catch (cause) {
      throw new Failure("cannot_start", `The key file of the market "${id}" cannot be read.`, {
        ...{
          cause,
          param: `markets.${id}.keyFile`,
          why: resolve(home, keyFile),
          next: ["lanthorn config show markets"],
        },
      });
    }
    throw new Failure("cannot_start", `The key file of the market "${id}" is empty.`, {
      ...{ param: `markets.${id}.keyFile`, why: resolve(home, keyFile), next: ["lanthorn config show markets"] },
    });
  }
  const own = environment[`LANTHORN_MARKET_${id.toUpperCase().replace(/[^A-Z0-9]/g, "_")}_KEY`];
  if (own !== undefined && own.trim() !== "") return own.trim();
  const isOwnAddress = baseUrl === undefined || new URL(baseUrl).origin === new URL(type.baseUrl ?? baseUrl).origin;
  const theirs = isOwnAddress
    ? type.keyVariables.map((name) => environment[name]?.trim() ?? "").find((key) => key !== "")
    : undefined;
  return theirs ?? null;
}

function cannot(id: string, why: string): Failure {
  const next = ["lanthorn config show markets"];
  return new Failure("cannot_start", `The market "${id}" cannot be used.`, { param: `markets.${id}`, why, next });
}
