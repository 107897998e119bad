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
  /** Epoch milliseconds, for the wording only. */
  readonly nowMs: number;
}

/** What the request brought, after it was looked up. */
export type Credential =
  | { readonly kind: "none" }
  /** A key that cannot be one of ours, like `ollama` or `sk-none`: many clients insist on sending something. */
  | { readonly kind: "placeholder" }
  | { readonly kind: "unknown-key" }
  /** The whole key was sent, so its holder may learn what became of it. */
  | { readonly kind: "revoked-key"; readonly tail: string; readonly revokedAtMs: number }
  | { readonly kind: "expired-key"; readonly tail: string; readonly expiredAtMs: number }
  | { readonly kind: "key"; readonly caller: Caller }
  /** A browser's cookie, with what is left of the sign-in; null when it is over. */
  | { readonly kind: "session"; readonly caller: Caller | null };

export type AccessDecision =
  /** Null: an open route, and nobody said who they are. */
  { readonly allowed: true; readonly caller: Caller | null } | { readonly allowed: false; readonly failure: Failure };

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
/** After this a day without its year could be taken for another one. */
const yearIsClearMs = 300 * 86_400_000;

/** `18 Nov`, and the year when that was long ago. In UTC, so that everybody reads the same day. */
function day(atMs: number, nowMs: number): string {
  const date = new Date(atMs);
  const text = `${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
  return nowMs - atMs < yearIsClearMs ? text : `${text} ${date.getUTCFullYear()}`;
}

/** The caller a credential stands for; null when it stands for nobody. */
function callerOf(credential: Credential): Caller | null {
  return credential.kind === "key" || credential.kind === "session" ? credential.caller : null;
}

/** What a key that is good for nothing is told; null for everything else. */
export function badKey(credential: Credential, nowMs: number): Failure | null {
  if (credential.kind === "revoked-key") {
    const when = day(credential.revokedAtMs, nowMs);
    return new Failure("unknown_key", `This key (…${credential.tail}) was revoked on ${when}.`);
  }
  if (credential.kind === "expired-key") {
    const when = day(credential.expiredAtMs, nowMs);
    return new Failure("unknown_key", `This key (…${credential.tail}) expired on ${when}. Ask for a new one.`);
  }
  const isUnknown = credential.kind === "unknown-key" || credential.kind === "placeholder";
  return isUnknown ? new Failure("unknown_key", "Unknown key.") : null;
}

function decideForAdmin(caller: Caller | null): AccessDecision {
  if (caller?.kind === "admin") return allow(caller);
  if (caller !== null) return refuse("forbidden", "This needs an admin key; yours is for inference.");
  return refuse("unknown_key", "This needs an admin key.", ["lanthorn keys reset-admin"]);
}

function decideForInference(facts: AccessFacts, caller: Caller | null): AccessDecision {
  if (caller !== null) return allow(caller);
  if (keylessAllowed(facts.bind, facts.auth)) return allow(keylessCaller);
  return refuse("unknown_key", "This server needs a key. Ask whoever runs it for one.", [
    "lanthorn keys create <name>",
  ]);
}

/** The verdict for one request. Failures are `unknown_key` (401) and `forbidden` (403). */
export function decideAccess(facts: AccessFacts, credential: Credential): AccessDecision {
  const keyless = facts.route === "inference" && keylessAllowed(facts.bind, facts.auth);
  const passes = facts.route === "open" || (credential.kind === "placeholder" && keyless);
  const failure = passes ? null : badKey(credential, facts.nowMs);
  if (failure !== null) return { allowed: false, failure };
  // A foreign page can make up a key, so only one that we know proves that no browser was tricked.
  if (credential.kind !== "key" && !facts.ownHost) {
    return refuse(
      "forbidden",
      "This server is not known by that name. Use its address, send a key, or add the name to `hosts`.",
    );
  }
  if (credential.kind !== "key" && !facts.ownOrigin) {
    return refuse("forbidden", "Requests from other web pages need a key.");
  }
  const caller = callerOf(credential);
  if (facts.route === "open") return allow(caller);
  return facts.route === "admin" ? decideForAdmin(caller) : decideForInference(facts, caller);
}
