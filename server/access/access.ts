/**
 * The access room as one object: who is asking, the keys, the signed-in browsers. Runs in the server.
 */
import type { Caller } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import type { KeyStore } from "../ledger/keys.ts";
import { type BindFacts, type Credential, type RouteAccess, badKey, decideAccess } from "./authenticate.ts";
import { type PresentedCredentials, findCredential } from "./credential.ts";
import { createWrongKeyLimit } from "./failures.ts";
import { type Keyring, createKeyring } from "./keyring.ts";
import { type Sessions, createSessions } from "./sessions.ts";

export interface AccessRequest extends PresentedCredentials {
  readonly route: RouteAccess;
  /** The Host header is one of our names; http/ knows them. */
  readonly ownHost: boolean;
  /** No Origin header, or one of ours; `null` is not. */
  readonly ownOrigin: boolean;
  /** The socket's, never a header's. */
  readonly remoteAddress: string;
}

export interface SignedIn {
  /** The value for an HttpOnly cookie. */
  readonly token: string;
  readonly caller: Caller;
}

export interface Access {
  /**
   * Who is asking. Null only on an open route, when nobody said. Throws Failure `unknown_key` (401), `forbidden` (403)
   * or, after ten wrong keys in a minute from one address, `rate_limited` (429).
   */
  authenticate(request: AccessRequest): Caller | null;
  /**
   * For the sign-in page, which is an open route: a key becomes a session. Throws like `authenticate`; a placeholder is
   * an unknown key here.
   */
  signIn(secret: string, remoteAddress: string): SignedIn;
  readonly keyring: Keyring;
  readonly sessions: Sessions;
}

export interface AccessOptions {
  readonly keys: KeyStore;
  readonly clock: Clock;
  readonly bind: BindFacts;
  /** `auth` of the settings. */
  readonly auth: "auto" | "always";
  /** From `adminKeyFromEnvironment`. */
  readonly environmentAdminKey: string | null;
}

function tooManyTries(seconds: number): Failure {
  return new Failure("rate_limited", `Too many wrong keys. Please try again in ${seconds}s.`, {
    retryAfterSeconds: seconds,
  });
}

export function createAccess(options: AccessOptions): Access {
  const { keys, clock, bind, auth, environmentAdminKey } = options;
  const keyring = createKeyring({ keys, clock, environmentAdminKey });
  const sessions = createSessions(clock);
  const wrongKeys = createWrongKeyLimit(clock);

  /** A sign-in ends with the key it was made with. */
  function signedIn(token: string): Caller | null {
    const caller = sessions.find(token);
    if (caller === null || caller.keyId === null || keyring.isActive(caller.keyId)) return caller;
    sessions.end(token);
    return null;
  }

  /** The credential of a request, or 429 when its address has tried too many wrong keys. */
  function credentialOf(presented: PresentedCredentials, remoteAddress: string): Credential {
    const { credential, chosen } = findCredential(presented, { key: keyring.lookUp, session: signedIn });
    // A key of 256 random bits works whatever its neighbours try; one that a person chose must not be guessed fast.
    const wait = chosen ? wrongKeys.waitSeconds(remoteAddress) : null;
    if (wait !== null) throw tooManyTries(wait);
    return credential;
  }

  /** The refusal of a request, after its wrong key was counted. */
  function refusal(failure: Failure, credential: Credential, remoteAddress: string): Failure {
    const isGuess = credential.kind === "unknown-key" || credential.kind === "placeholder";
    const seconds = isGuess && failure.code === "unknown_key" ? wrongKeys.note(remoteAddress) : null;
    return seconds === null ? failure : tooManyTries(seconds);
  }

  return {
    authenticate(request) {
      const { route, ownHost, ownOrigin, remoteAddress } = request;
      const credential = credentialOf(request, remoteAddress);
      const decision = decideAccess({ route, ownHost, ownOrigin, bind, auth, nowMs: clock.now() }, credential);
      if (!decision.allowed) throw refusal(decision.failure, credential, remoteAddress);
      if (credential.kind === "key" && credential.caller.keyId !== null) keyring.touch(credential.caller.keyId);
      return decision.caller;
    },
    signIn(secret, remoteAddress) {
      const presented = { apiKey: secret, authorization: undefined, sessionToken: undefined };
      const credential = credentialOf(presented, remoteAddress);
      if (credential.kind === "key") {
        if (credential.caller.keyId !== null) keyring.touch(credential.caller.keyId);
        return { token: sessions.create(credential.caller), caller: credential.caller };
      }
      const failure = badKey(credential, clock.now()) ?? new Failure("unknown_key", "Unknown key.");
      throw refusal(failure, credential, remoteAddress);
    },
    keyring,
    sessions,
  };
}
