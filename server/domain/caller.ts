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
}

/** Tells callers apart where they take turns or have limits: one per key, keyless callers are one. */
export function callerId(caller: Caller): string {
  return `${caller.kind}:${caller.keyId ?? ""}`;
}

export const keylessCaller: Caller = Object.freeze({ kind: "keyless", keyId: null, name: "this computer" });
