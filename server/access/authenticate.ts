/**
 * Who may do what: the access table of docs/architecture.md as one pure function. No I/O, no clock, no HTTP; it gets facts
 * and returns a verdict. The bind decides, never the peer's address.
 *
 * |                            | open | inference                          | admin     |
 * | loopback only, auth auto   | all  | keyless, any key                   | admin key |
 * | loopback only, auth always | all  | any key                            | admin key |
 * | anything else, or headless | all  | any key, from 127.0.0.1 too        | admin key |
 *
 * On top: whoever comes without a bearer or x-api-key key must come to one of our own names, from one of our own pages.
 * That is what stops a web page from using a visitor's browser against a box in their network (DNS rebinding, CSRF).
 */
import type { Caller } from "../domain/caller.ts";
import { keylessCaller } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";

/** Who a route is for. */
export type RouteAccess = "open" | "inference" | "admin";

export interface BindFacts {
  /** Every address the server listens on is a loopback address. */
  readonly loopbackOnly: boolean;
  readonly headless: boolean;
}

export interface AccessFacts {
  readonly route: RouteAccess;
  readonly bind: BindFacts;
  /** `auth` of the settings. */
  readonly auth: "auto" | "always";
  /** The Host header is one of our names. */
  readonly ownHost: boolean;
  /** No Origin header, or one of ours. `null` is nobody's. */
  readonly ownOrigin: boolean;
}

/** What the request brought, after it was looked up. */
export type Credential =
  | { readonly kind: "none" }
  /** A key that cannot be one of ours, like `ollama` or `sk-none`: many clients insist on sending something. */
  | { readonly kind: "placeholder" }
  | { readonly kind: "unknown-key" }
  /** The whole key was sent, so its holder may learn what became of it. */
  | { readonly kind: "revoked-key"; readonly tail: string; readonly revokedAtMs: number }
  | { readonly kind: "key"; readonly caller: Caller }
  /** A browser's cookie, with what is left of the sign-in; null when it is over. */
  | { readonly kind: "session"; readonly caller: Caller | null };

export type AccessDecision =
  /** Null: an open route, and nobody said who they are. */
  | { readonly allowed: true; readonly caller: Caller | null }
  | { readonly allowed: false; readonly failure: Failure };

function allow(caller: Caller | null): AccessDecision {
  return { allowed: true, caller };
}

function refuse(code: "unknown_key" | "forbidden", message: string, next: readonly string[] = []): AccessDecision {
  return { allowed: false, failure: new Failure(code, message, { next }) };
}

/** True where inference needs no key. */
export function keylessAllowed(bind: BindFacts, auth: AccessFacts["auth"]): boolean {
  return bind.loopbackOnly && !bind.headless && auth === "auto";
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `18 Nov 2026`, in UTC, so that everybody reads the same day. */
function day(atMs: number): string {
  const date = new Date(atMs);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

/** The caller a credential stands for; null when it stands for nobody. */
function callerOf(credential: Credential): Caller | null {
  return credential.kind === "key" || credential.kind === "session" ? credential.caller : null;
}

function decideForAdmin(caller: Caller | null): AccessDecision {
  if (caller?.kind === "admin") return allow(caller);
  if (caller !== null) return refuse("forbidden", "This needs an admin key; yours is for inference.");
  return refuse("unknown_key", "This needs an admin key.", ["lanthorn keys reset-admin"]);
}

function decideForInference(facts: AccessFacts, caller: Caller | null): AccessDecision {
  if (caller !== null) return allow(caller);
  if (keylessAllowed(facts.bind, facts.auth)) return allow(keylessCaller);
  return refuse("unknown_key", "This server needs a key. Ask whoever runs it for one.", ["lanthorn keys create <name>"]);
}

export function decideAccess(facts: AccessFacts, credential: Credential): AccessDecision {
  const placeholderCounts = !keylessAllowed(facts.bind, facts.auth) || facts.route === "admin";
  const isUnknown = credential.kind === "unknown-key" || (credential.kind === "placeholder" && placeholderCounts);
  // A foreign page can make up a key, so only one that we know proves that no page was tricked.
  const isForeign = !facts.ownHost || !facts.ownOrigin;
  const broughtKey = credential.kind === "key" || credential.kind === "revoked-key" || isUnknown;
  if (isForeign && !broughtKey) {
    return refuse(
      "forbidden",
      facts.ownHost
        ? "Requests from other web pages need a key."
        : "This server is not known by that name. Use its address, send a key, or add the name to `hosts`.",
    );
  }
  if (facts.route === "open") return allow(callerOf(credential));
  if (isUnknown) return refuse("unknown_key", "Unknown key.");
  if (credential.kind === "revoked-key") {
    return refuse("unknown_key", `This key (…${credential.tail}) was revoked on ${day(credential.revokedAtMs)}.`);
  }
  if (credential.kind === "session" && credential.caller === null) {
    return refuse("unknown_key", "You are signed out. Sign in again.");
  }
  const caller = callerOf(credential);
  return facts.route === "admin" ? decideForAdmin(caller) : decideForInference(facts, caller);
}
