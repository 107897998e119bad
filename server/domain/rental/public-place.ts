/**
 * Under which addresses a rented machine is reached from outside: the market's name for it and the port it maps. Pure: variables
 * and the own port in, addresses out.
 */
import type { Environment, RentalMarket } from "./this-rental.ts";

export interface PublicPlace {
  /** `https://host:port`, likeliest first; empty: not known. */
  readonly urls: readonly string[];
  /** Their host names, for the Host check and for certificates. */
  readonly hosts: readonly string[];
}

export interface PublicFacts {
  readonly environment: Environment;
  /** Null: no rented machine. */
  readonly market: RentalMarket | null;
  /** The one this box listens on. */
  readonly port: number;
  /** What it speaks there itself. */
  readonly scheme: "http" | "https";
  /** `publicUrl` of the settings; empty: not set. */
  readonly stated: string;
}

/** RunPod's proxy encrypts, speaks plain HTTP to the machine, and ends an answer that has not begun after about 100 s. */
const proxyName = "proxy.runpod.net";

export function publicPlace({ environment, market, port, scheme, stated }: PublicFacts): PublicPlace {
  const urls: string[] = stated === "" ? [] : [stated.replace(/\/+$/, "")];
  const direct = (address: string | undefined, mapped: string | undefined) => {
    const ip = address?.trim() ?? "";
    const outside = Number(mapped?.trim());
    const isReal = /^[0-9A-Za-z.:-]{1,253}$/.test(ip) && Number.isInteger(outside) && outside > 0 && outside <= 65_535;
    if (isReal) urls.push(`${scheme}://${ip.includes(":") ? `[${ip}]` : ip}:${outside}`);
  };
  if (market === "vast") direct(environment.PUBLIC_IPADDR, environment[`VAST_TCP_PORT_${port}`]);
  if (market === "runpod") {
    direct(environment.RUNPOD_PUBLIC_IP, environment[`RUNPOD_TCP_PORT_${port}`]);
    const pod = environment.RUNPOD_POD_ID?.trim() ?? "";
    if (scheme === "http" && /^[A-Za-z0-9-]{1,63}$/.test(pod)) urls.push(`https://${pod}-${port}.${proxyName}`);
  }
  const hosts = urls.map((url) => /^https?:\/\/(\[[^\]]+\]|[^/:]+)/.exec(url)?.[1]?.replace(/^\[|\]$/g, "") ?? "");
  return { urls: [...new Set(urls)], hosts: [...new Set(hosts.filter((host) => host !== ""))] };
}

/** Milliseconds that answers in one piece may take through such a proxy, with some room before it cuts them. */
const proxiedWholeMs = 95_000;

/**
 * How long an answer in one piece may take when it was asked for under this name; null: as long as it needs. `setting` is
 * `http.wholeLimitMs`.
 */
export function wholeLimit(setting: "auto" | number, host: string | undefined): number | null {
  if (setting !== "auto") return setting === 0 ? null : setting;
  const name = host?.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "") ?? "";
  return name.endsWith(`.${proxyName}`) ? proxiedWholeMs : null;
}
