/**
 * From headers and a cookie to the credential they stand for. Pure, but for the look-ups handed in.
 */
import type { Caller } from "../domain/caller.ts";
import type { Credential } from "./authenticate.ts";
import type { LookedUp } from "./keyring.ts";

export interface PresentedCredentials {
  /** The Authorization header as it came. */
  readonly authorization: string | undefined;
  /** The x-api-key header as it came. */
  readonly apiKey: string | undefined;
  /** From the session cookie. */
  readonly sessionToken: string | undefined;
}

export interface Lookups {
  readonly key: (secret: string) => LookedUp;
  readonly session: (token: string) => Caller | null;
}

/** The keys a request brought, at most two. Another scheme than Bearer is meant for somebody else, a proxy perhaps. */
export function keysPresented(presented: PresentedCredentials): readonly string[] {
  const bearer = /^bearer[ \t]+(.*)$/i.exec(presented.authorization?.trim() ?? "")?.[1]?.trim();
  const apiKey = presented.apiKey?.trim();
  return [bearer, apiKey].flatMap((key) => (key === undefined || key === "" ? [] : [key]));
}

/** Looks like a key of somebody else: the token characters of RFC 6750, and not our beginning. */
function isPlaceholder(key: string): boolean {
  return /^[A-Za-z0-9._~+/-]+=*$/.test(key) && !key.startsWith("lth_");
}

export interface FoundCredential {
  readonly credential: Credential;
  /** A person chose this key, so it might be guessed. */
  readonly chosen: boolean;
}

/** One good key is enough; after that the most telling of the others counts. */
export function findCredential(presented: PresentedCredentials, lookups: Lookups): FoundCredential {
  let best: Credential = { kind: "none" };
  for (const key of keysPresented(presented)) {
    const found = lookups.key(key);
    if (found.kind === "known") return { credential: { kind: "key", caller: found.caller }, chosen: found.chosen };
    if (found.kind === "revoked") {
      best = { kind: "revoked-key", tail: found.tail, revokedAtMs: found.revokedAtMs };
    } else if (found.kind === "expired") {
      best = { kind: "expired-key", tail: found.tail, expiredAtMs: found.expiredAtMs };
    } else if (best.kind === "none" || best.kind === "placeholder") {
      best = isPlaceholder(key) ? { kind: "placeholder" } : { kind: "unknown-key" };
    }
  }
  const token = presented.sessionToken;
  if (token !== undefined && token !== "" && (best.kind === "none" || best.kind === "placeholder")) {
    const caller = lookups.session(token);
    if (caller !== null || best.kind === "none") best = { kind: "session", caller };
  }
  return { credential: best, chosen: false };
}
