/** Who is asking. Pure. */

export type CallerKind =
  /** Holds an inference key. */
  | "key"
  /** Loopback-only server, no key given. */
  | "keyless"
  /** Holds an admin key: may administer, and may infer. */
  | "admin";

export interface Caller {
  readonly kind: CallerKind;
  /** Row of `keys`; null for a keyless caller. */
  readonly keyId: number | null;
  /** What people see: the key's person or label, `this computer` for a keyless caller. */
  readonly name: string;
  /** Shares no computed prefixes with other callers; absent: it does. */
  readonly isolated?: boolean;
  /** Absent: as the settings say of every key. */
  readonly limits?: KeyLimits;
  /** The only aliases and models it may ask for; absent: all. */
  readonly routes?: readonly string[];
}

/** What one key may do; null: what the settings say of every key, 0: no limit. */
export interface KeyLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly concurrent: number | null;
  /** Who waits for a limit with a higher one is let in first; -100 to 100, 0 is usual. */
  readonly priority: number;
}

export const usualLimits: KeyLimits = Object.freeze({
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrent: null,
  priority: 0,
});

/** Tells callers apart where they take turns or have limits: one per key, keyless callers are one. */
export function callerId(caller: Caller): string {
  return `${caller.kind}:${caller.keyId ?? ""}`;
}

/** As `callerId` names the holder of that key. */
export function callerIdOfKey(keyId: number): string {
  return `key:${keyId}`;
}

/** Of everybody who does not keep apart: a team whose agents begin with the same texts. */
export const sharedGroup = "shared";

/** Who may reuse what was computed for this caller, and so could notice what it asked. Lower case, digits and dashes. */
export function sharingGroup({ isolated, keyId }: Caller): string {
  return isolated === true && keyId !== null ? groupOfKey(keyId) : sharedGroup;
}

/** The sharing group of a key that keeps apart. */
export function groupOfKey(keyId: number): string {
  return `key-${keyId}`;
}

export const keylessCaller: Caller = Object.freeze({ kind: "keyless", keyId: null, name: "this computer" });
