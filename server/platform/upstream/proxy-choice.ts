/**
 * Which proxy a call goes through, by the variables that every program reads: HTTPS_PROXY, HTTP_PROXY, NO_PROXY. Pure.
 *
 * NO_PROXY is a list, by commas or spaces, of `*`, a host name (it and all below it; a dot in front changes nothing), `*.name`
 * (what is below it only), an address, a range in CIDR form; each may end in `:port`. This machine itself is never reached
 * through a proxy, whatever the list says.
 */
import { BlockList, isIP } from "node:net";
import { Failure } from "../../domain/failure.ts";

export interface ProxySettings {
  /** For `http:` and `https:` addresses; null: called directly. */
  readonly http: string | null;
  readonly https: string | null;
  readonly except: readonly NoProxyRule[];
}

export interface NoProxyRule {
  readonly matches: (host: string) => boolean;
  /** Null: any. */
  readonly port: number | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Small letters go before capitals, as in curl. Throws Failure `cannot_start` when a proxy's address is none. */
export function readProxySettings(environment: Environment): ProxySettings {
  const http = proxyAddress(environment, "HTTP_PROXY");
  return {
    http,
    https: proxyAddress(environment, "HTTPS_PROXY") ?? null,
    except: parseNoProxy(variable(environment, "NO_PROXY") ?? ""),
  };
}

function variable(environment: Environment, name: string): string | null {
  return environment[name.toLowerCase()]?.trim() || environment[name]?.trim() || null;
}

function proxyAddress(environment: Environment, name: string): string | null {
  const text = variable(environment, name);
  if (text === null) return null;
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url.href;
  // The address may hold a password, so it is not repeated.
  throw new Failure("cannot_start", `The proxy of ${name} cannot be used.`, {
    why: "It must be an address such as http://proxy.example:3128.",
    next: [`unset ${name} ${name.toLowerCase()}`],
  });
}

export function parseNoProxy(text: string): readonly NoProxyRule[] {
  return text
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .map((entry) => {
      const { host, port } = splitPort(entry.toLowerCase());
      return { port, matches: hostRule(host) };
    });
}

/** `box.example:8080`, `[::1]:8080`, `::1`, `10.0.0.0/8`. */
function splitPort(entry: string): { readonly host: string; readonly port: number | null } {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(entry);
  if (bracketed !== null) return { host: bracketed[1] ?? "", port: portOf(bracketed[2]) };
  const named = /^([^:]*):(\d{1,5})$/.exec(entry);
  return named === null ? { host: entry, port: null } : { host: named[1] ?? "", port: portOf(named[2]) };
}

function portOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function hostRule(entry: string): (host: string) => boolean {
  if (entry === "*") return () => true;
  const range = /^(.+)\/(\d{1,3})$/.exec(entry);
  const address = range?.[1] ?? entry;
  const version = isIP(address);
  if (version !== 0) {
    const family = version === 4 ? "ipv4" : "ipv6";
    const most = version === 4 ? 32 : 128;
    const bits = range === null ? most : Number(range[2]);
    if (bits > most) return () => false;
    const list = new BlockList();
    list.addSubnet(address, bits, family);
    return (host) => isIP(host) !== 0 && list.check(host, isIP(host) === 4 ? "ipv4" : "ipv6");
  }
  const belowOnly = entry.startsWith("*.");
  const name = entry.replace(/^\*?\./, "").replace(/\.$/, "");
  if (name === "") return () => false;
  return (host) => (!belowOnly && host === name) || host.endsWith(`.${name}`);
}

/** The proxy's address; null: directly. */
export function proxyFor(url: URL, settings: ProxySettings): string | null {
  const proxy = url.protocol === "https:" ? settings.https : settings.http;
  if (proxy === null) return null;
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (isThisMachine(host)) return null;
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const excepted = settings.except.some((rule) => (rule.port === null || rule.port === port) && rule.matches(host));
  return excepted ? null : proxy;
}

function isThisMachine(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  return isIP(host) !== 0 && thisMachine().check(host, isIP(host) === 4 ? "ipv4" : "ipv6");
}

let loopback: BlockList | null = null;

/** Also finds IPv4 addresses that are written as IPv6. */
function thisMachine(): BlockList {
  if (loopback === null) {
    loopback = new BlockList();
    loopback.addSubnet("127.0.0.0", 8, "ipv4");
    loopback.addAddress("::1", "ipv6");
  }
  return loopback;
}
