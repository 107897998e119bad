/**
 * Where a download may be led: the rules for redirects and for who sees the token. Pure.
 *
 * A Hub may send us to its storage, but not to our own machine or network: a link to a router's page or to a cloud's metadata
 * address has no business in a download. A Hub that stands in our network may lead within it.
 */
import { BlockList, isIP } from "node:net";
import { DownloadTrouble, never } from "../trouble.ts";

/** From the whole world inwards. `special`: link-local (metadata services), unspecified, multicast. */
const scopes = ["public", "private", "loopback", "special"] as const;
export type Scope = (typeof scopes)[number];

function listOf(...subnets: readonly (readonly [network: string, bits: number])[]): BlockList {
  const list = new BlockList();
  for (const [network, bits] of subnets) list.addSubnet(network, bits, network.includes(":") ? "ipv6" : "ipv4");
  return list;
}

let lists: { readonly scope: Scope; readonly list: BlockList }[] | null = null;

/** Made when first needed. BlockList also finds IPv4 addresses that are written as IPv6. */
function scopeLists(): { readonly scope: Scope; readonly list: BlockList }[] {
  lists ??= [
    { scope: "loopback", list: listOf(["127.0.0.0", 8], ["::1", 128]) },
    {
      scope: "special",
      list: listOf(
        ["0.0.0.0", 8],
        ["169.254.0.0", 16],
        ["192.0.0.0", 24],
        ["224.0.0.0", 3],
        ["::", 128],
        ["fe80::", 10],
        ["ff00::", 8],
        // Addresses that stand for IPv4 ones behind a translator: what they lead to cannot be seen.
        ["64:ff9b::", 32],
        ["2002::", 16],
      ),
    },
    {
      scope: "private",
      list: listOf(
        ["10.0.0.0", 8],
        ["100.64.0.0", 10],
        ["172.16.0.0", 12],
        ["192.168.0.0", 16],
        ["198.18.0.0", 15],
        ["fc00::", 7],
        ["fec0::", 10],
      ),
    },
  ];
  return lists;
}

export function scopeOfAddress(address: string): Scope {
  const version = isIP(address);
  if (version === 0) return "public";
  const family = version === 4 ? "ipv4" : "ipv6";
  return scopeLists().find(({ list }) => list.check(address, family))?.scope ?? "public";
}

/** Of the name itself; a name that stands for an address is looked up by the caller. Null: it has to be. */
export function scopeOfHost(hostname: string): Scope | null {
  const host = hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  if (host === "localhost" || host.endsWith(".localhost")) return "loopback";
  return isIP(host) === 0 ? null : scopeOfAddress(host);
}

/** The innermost of several: a name that leads to one bad address is a bad name. */
export function innermost(found: readonly Scope[]): Scope {
  return scopes[Math.max(0, ...found.map((scope) => scopes.indexOf(scope)))] ?? "public";
}

/** The address a redirect names, when its form alone allows going there. Throws DownloadTrouble `redirect_refused`. */
export function redirectTarget(location: string | undefined, from: URL): URL {
  if (location === undefined || location.length > 16_384 || !URL.canParse(location, from.href)) {
    throw refused("It answered with a redirect that leads nowhere.");
  }
  const target = new URL(location, from);
  if (target.protocol !== "https:" && target.protocol !== "http:") {
    throw refused(
      `It leads to an address that begins with ${target.protocol}, and only http: and https: are followed.`,
    );
  }
  if (from.protocol === "https:" && target.protocol === "http:") {
    throw refused("It leads from an encrypted address to one that is not.");
  }
  if (target.username !== "" || target.password !== "") throw refused("It leads to an address with a password in it.");
  target.hash = "";
  return target;
}

/** Whether a redirect may lead from a Hub of one scope to a host of another; the same host is always allowed. */
export function mayLead(hub: Scope, target: Scope): boolean {
  return target !== "special" && scopes.indexOf(target) <= scopes.indexOf(hub);
}

export function refusedHost(host: string, scope: Scope): DownloadTrouble {
  const words = {
    public: "",
    private: "a private address",
    loopback: "this computer",
    special: "a link-local address",
  };
  return refused(`It leads to ${host}, which is ${words[scope]}.`);
}

/** The token is for the Hub itself and for nobody else, and goes out in the clear on this machine only. */
export function mayHaveToken(target: URL, endpoint: URL): boolean {
  if (target.origin !== endpoint.origin) return false;
  return target.protocol === "https:" || scopeOfHost(target.hostname) === "loopback";
}

function refused(why: string): DownloadTrouble {
  return new DownloadTrouble("redirect_refused", never, "The Hub's redirect was refused.", { why });
}

export function tooManyRedirects(): DownloadTrouble {
  return refused("It leads on and on.");
}
