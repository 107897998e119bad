/**
 * Which server a command talks to, and with which key: `LANTHORN_URL` when set, else the one that left `server.json` in this
 * user's data folder. Runs in the command's process; opens no connection.
 */
import { dataPaths } from "../platform/paths.ts";
import { readOwnerFile } from "../platform/owner-file.ts";
import { readFingerprint } from "../platform/tls/certificate.ts";
import { isProcessAlive } from "../platform/running-server.ts";
import { readServerFile } from "../platform/server-file.ts";
import type { Environment } from "./command.ts";
import { usageFailure } from "./errors.ts";

export interface ServerAddress {
  /** Without a slash at the end. */
  readonly url: string;
  readonly source: "LANTHORN_URL" | "server.json";
  /** Of a server on this box, found through its file; null when only an address is known. */
  readonly pid: number | null;
  readonly key: string | null;
  readonly keySource: "LANTHORN_API_KEY" | "admin.key" | null;
  /** SHA-256 of the certificate that is expected; null: authorities vouch for it, or it is plain HTTP. */
  readonly fingerprint: string | null;
  /** For proxies and certificate authorities. */
  readonly environment: Environment;
  /** The admin.key of this data folder would be sent if LANTHORN_API_KEY were not set. */
  readonly hasOwnKey: boolean;
}

/** Null when no address is given and no server of this data folder lives. Throws exit 2 when `LANTHORN_URL` is no address. */
export function findServer(environment: Environment): ServerAddress | null {
  const paths = dataPaths(environment);
  const asked = environment.LANTHORN_URL?.trim();
  const file = readServerFile(paths.serverFile);
  const given = environment.LANTHORN_API_KEY?.trim();
  const keyFor = (url: URL): Pick<ServerAddress, "key" | "keySource" | "hasOwnKey"> => {
    // The box's own admin key never leaves the box: an address elsewhere must be given its key by name.
    const own = isLoopback(url) ? readOwnerFile(paths.adminKey)?.trim() : undefined;
    const hasOwnKey = Boolean(own);
    if (given) return { key: given, keySource: "LANTHORN_API_KEY", hasOwnKey };
    return own ? { key: own, keySource: "admin.key", hasOwnKey } : { key: null, keySource: null, hasOwnKey };
  };
  if (asked) {
    const url = readAddress(asked);
    const isOwn = file !== null && new URL(file.url).host === url.host;
    const fingerprint = askedFingerprint(environment) ?? (isOwn ? (file.fingerprint ?? null) : null);
    const pid = isOwn ? file.pid : null;
    return { url: withoutSlash(url), source: "LANTHORN_URL", pid, fingerprint, environment, ...keyFor(url) };
  }
  // A killed server leaves its file behind, and by now its port may belong to a stranger who must not see the key.
  if (file === null || !isProcessAlive(file.pid)) return null;
  const url = new URL(file.url);
  const { pid, fingerprint = null } = file;
  return { url: withoutSlash(url), source: "server.json", pid, fingerprint, environment, ...keyFor(url) };
}

function askedFingerprint(environment: Environment): string | null {
  const asked = environment.LANTHORN_FINGERPRINT?.trim();
  if (!asked) return null;
  const fingerprint = readFingerprint(asked);
  if (fingerprint !== null) return fingerprint;
  throw usageFailure(
    "LANTHORN_FINGERPRINT is not a fingerprint",
    "It is the SHA-256 of a certificate: 64 hex digits.",
    ["unset LANTHORN_FINGERPRINT"],
  );
}

function readAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw usageFailure("LANTHORN_URL is not an address", "It must begin with http:// or https://.", [
      "export LANTHORN_URL=http://192.168.1.20:4747",
    ]);
  }
  // The base URL that clients are given ends in /v1; pasted here it means the same server.
  url.pathname = url.pathname.replace(/\/v1\/?$/u, "/");
  url.search = "";
  url.hash = "";
  return url;
}

function withoutSlash(url: URL): string {
  return url.href.replace(/\/+$/u, "");
}

export function isLoopback(url: URL): boolean {
  return url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d{1,3}){3}$/u.test(url.hostname);
}
