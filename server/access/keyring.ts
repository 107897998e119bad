/**
 * The keys in use, in memory by the hash of their secret, and every change to them. The ledger is asked only when a key is
 * made or revoked, never per request. Runs on the server's thread, or in a command that holds the data lock.
 */
import { timingSafeEqual } from "node:crypto";
import { type Caller, type KeyLimits, usualLimits } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import { type KeyStore, type NewKey, type StoredKey, hashKey } from "../ledger/keys.ts";
import type { KeyRow } from "../ledger/rows.ts";
import { newKeySecret } from "../platform/ids.ts";

/** A key's last use is written this often at most. */
const touchEveryMs = 10_000;
const longestName = 100;
const highestLimit = 1_000_000_000;
const highestPriority = 100;
const mostRoutes = 100;
/** As an alias of the settings may be called, and any model: files have spaces in their names. */
const routeName = /^(?! )[^\p{Cc}\p{Cs}]{1,200}(?<! )$/u;
/** No key is longer; a header may be. */
const longestSecret = 512;

export interface CreatedKey {
  /** Shown once; nowhere stored by us but in `admin.key`. */
  readonly secret: string;
  readonly row: KeyRow;
}

export interface KeyWishes {
  readonly kind: KeyRow["kind"];
  readonly name: string;
  readonly label: string | null;
  /** Epoch milliseconds, in the future; null or absent: it never ends by itself. */
  readonly expiresAtMs?: number | null;
  /** Shares no computed prefixes with other keys; absent: it does. */
  readonly isolate?: boolean;
  /** Absent: as for every key. */
  readonly limits?: KeyLimits;
  /** The only aliases and models it may ask for; null or absent: all. */
  readonly routes?: readonly string[] | null;
}

export interface Keyring {
  /** Throws Failure `invalid_request` (name, label, expiresAtMs, routes) or `ledger_unavailable`. */
  create(key: KeyWishes): CreatedKey;
  /** Takes a secret that was made elsewhere, long and random. One that is known already stays as it is, also when revoked. Throws like `create`. */
  adopt(secret: string, key: KeyWishes): KeyRow;
  /** Null: no such key. A key that was revoked before stays as it was. */
  revoke(id: number): KeyRow | null;
  /** Takes effect with the key's next request. Null: no such key. Throws like `create`. */
  setLimits(id: number, limits: KeyLimits): KeyRow | null;
  /**
   * Keys that a person may mean by an id, a name, the end of a key (`9f3c`, `lth_…9f3c`) or a whole key. Revoked ones
   * only when no other fits.
   */
  find(selector: string): readonly KeyRow[];
  list(): readonly KeyRow[];
  /** Who holds it, with its limits as they are now; null: there is no such key, or it was revoked or has expired. */
  callerOf(id: number): Caller | null;
  /** All admin keys die, and a new one is made. The one from the environment is not ours to end. */
  resetAdmin(): CreatedKey;
  /** A stored admin key that works exists. */
  hasAdminKey(): boolean;
}

export type LookedUp =
  | { readonly kind: "unknown" }
  | { readonly kind: "revoked"; readonly tail: string; readonly revokedAtMs: number }
  | { readonly kind: "expired"; readonly tail: string; readonly expiredAtMs: number }
  /** `chosen`: a person chose this key, so it might be guessed. */
  | { readonly kind: "known"; readonly caller: Caller; readonly chosen: boolean };

/** For the check of each request. */
export interface KeyLookup {
  lookUp(secret: string): LookedUp;
  isActive(keyId: number): boolean;
  /** Remembers that the key was used now. */
  touch(keyId: number): void;
}

interface Entry {
  readonly hash: Uint8Array;
  readonly row: KeyRow | null;
  readonly caller: Caller;
}

function hexOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString("hex");
}

function entryOf(key: StoredKey): Entry {
  const { hash, ...row } = key;
  const kind = row.kind === "admin" ? "admin" : "key";
  const apart = row.isolate ? { isolated: true } : {};
  const limits = isUsual(row.limits) ? {} : { limits: Object.freeze(row.limits) };
  const routes = row.routes === null ? {} : { routes: Object.freeze(row.routes) };
  return { hash, row, caller: Object.freeze({ kind, keyId: row.id, name: row.name, ...apart, ...limits, ...routes }) };
}

function isUsual({ requestsPerMinute, tokensPerMinute, concurrent, priority }: KeyLimits): boolean {
  return requestsPerMinute === null && tokensPerMinute === null && concurrent === null && priority === 0;
}

/** Throws Failure `invalid_request`, naming the limit. */
function checkedLimits(limits: KeyLimits): KeyLimits {
  for (const param of ["requestsPerMinute", "tokensPerMinute", "concurrent"] as const) {
    const value = limits[param];
    if (value === null || (Number.isSafeInteger(value) && value >= 0 && value <= highestLimit)) continue;
    throw new Failure("invalid_request", `A key's ${param} is a whole number from 0 (no limit).`, { param });
  }
  const { priority } = limits;
  if (Number.isSafeInteger(priority) && Math.abs(priority) <= highestPriority) return limits;
  throw new Failure("invalid_request", "A key's priority is a whole number from -100 to 100.", { param: "priority" });
}

function checkedText(param: "name" | "label", text: string): string {
  const trimmed = text.trim();
  const isGood = trimmed.length >= 1 && trimmed.length <= longestName && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(trimmed);
  if (isGood) return trimmed;
  throw new Failure("invalid_request", `A key's ${param} is one line of 1 to ${longestName} characters.`, { param });
}

/** Names as clients write them; a key for nothing is a mistake. Throws Failure `invalid_request`. */
function checkedRoutes({ kind, routes = null }: KeyWishes): readonly string[] | null {
  if (routes === null) return null;
  const isGood = routes.length >= 1 && routes.length <= mostRoutes && routes.every((name) => routeName.test(name));
  if (isGood && kind === "inference") return [...new Set(routes)];
  throw new Failure("invalid_request", `A key's routes are 1 to ${mostRoutes} names of aliases or models.`, {
    param: "routes",
  });
}

/** Throws Failure `invalid_request`: a key that is dead when it is made is a mistake in a date. */
function checkedExpiry(expiresAtMs: number | null, nowMs: number): number | null {
  if (expiresAtMs === null || (Number.isSafeInteger(expiresAtMs) && expiresAtMs > nowMs)) return expiresAtMs;
  throw new Failure("invalid_request", "A key expires at a time in the future, in epoch milliseconds.", {
    param: "expiresAtMs",
  });
}

export interface KeyringOptions {
  readonly keys: KeyStore;
  readonly clock: Clock;
  /** LANTHORN_ADMIN_KEY, checked by `adminKeyFromEnvironment`; it is never stored. */
  readonly environmentAdminKey: string | null;
}

/** Reads all keys once. Throws Failure `ledger_unavailable`. */
export function createKeyring(options: KeyringOptions): Keyring & KeyLookup {
  const { keys, clock, environmentAdminKey } = options;
  let byHash = new Map<string, Entry>();
  let byId = new Map<number, Entry>();
  /** Key id → last use, newer than the ledger's by up to `touchEveryMs`. */
  const lastUses = new Map<number, { readonly atMs: number; readonly monotonicMs: number }>();

  function load(): void {
    const entries = keys.loadAll().map(entryOf);
    byHash = new Map(entries.map((entry) => [hexOf(entry.hash), entry]));
    byId = new Map(entries.flatMap((entry) => (entry.row === null ? [] : [[entry.row.id, entry]])));
    if (environmentAdminKey !== null) {
      const hash = hashKey(environmentAdminKey);
      byHash.set(hexOf(hash), {
        hash,
        row: null,
        caller: Object.freeze({ kind: "admin", keyId: null, name: "admin" }),
      });
    }
  }
  load();

  /** Makes a secret, stores its hash with `store`, and takes the change over. */
  function make(key: KeyWishes, store: (key: NewKey) => KeyRow): CreatedKey {
    const secret = newKeySecret();
    return { secret, row: keep(secret, key, store) };
  }

  function keep(secret: string, key: KeyWishes, store: (key: NewKey) => KeyRow): KeyRow {
    const row = store({
      kind: key.kind,
      name: checkedText("name", key.name),
      label: key.label === null ? null : checkedText("label", key.label),
      hash: hashKey(secret),
      tail: secret.slice(-4),
      createdAtMs: clock.now(),
      expiresAtMs: checkedExpiry(key.expiresAtMs ?? null, clock.now()),
      isolate: key.isolate ?? false,
      limits: checkedLimits(key.limits ?? usualLimits),
      routes: checkedRoutes(key),
    });
    load();
    return row;
  }

  /** The clock of the wall decides, as people mean it: setting it back makes an expired key good again. */
  function isExpired(row: KeyRow): boolean {
    return row.expiresAtMs !== null && clock.now() >= row.expiresAtMs;
  }

  function rows(): readonly KeyRow[] {
    return [...byId.values()].flatMap(({ row }) => {
      if (row === null) return [];
      const used = lastUses.get(row.id);
      return [used === undefined ? row : { ...row, lastUsedAtMs: Math.max(row.lastUsedAtMs ?? 0, used.atMs) }];
    });
  }

  return {
    create: (key) => make(key, keys.create),
    adopt: (secret, key) => byHash.get(hexOf(hashKey(secret)))?.row ?? keep(secret, key, keys.create),

    revoke(id) {
      const row = keys.revoke(id, clock.now());
      if (row !== null) load();
      return row;
    },

    setLimits(id, limits) {
      const row = keys.setLimits(id, checkedLimits(limits));
      if (row !== null) load();
      return row;
    },

    find(selector) {
      const asked = selector.trim();
      const tail = asked.replace(/^(lth_)?(…|\.\.\.)/, "");
      const whole = byHash.get(hexOf(hashKey(asked)))?.row;
      const found = rows().filter(
        (row) => String(row.id) === asked || row.name === asked || row.tail === tail || row.id === whole?.id,
      );
      const active = found.filter((row) => row.revokedAtMs === null && !isExpired(row));
      return active.length > 0 ? active : found;
    },

    list: rows,

    callerOf(id) {
      const entry = byId.get(id);
      if (entry === undefined || entry.row === null || entry.row.revokedAtMs !== null) return null;
      return isExpired(entry.row) ? null : entry.caller;
    },

    resetAdmin: () => make({ kind: "admin", name: "admin", label: null }, keys.replaceAdminKeys),

    hasAdminKey: () => rows().some((row) => row.kind === "admin" && row.revokedAtMs === null && !isExpired(row)),

    lookUp(secret) {
      if (secret.length > longestSecret) return { kind: "unknown" };
      const hash = hashKey(secret);
      const entry = byHash.get(hexOf(hash));
      if (entry === undefined || !timingSafeEqual(entry.hash, hash)) return { kind: "unknown" };
      const row = entry.row;
      if (row?.revokedAtMs != null) return { kind: "revoked", tail: row.tail, revokedAtMs: row.revokedAtMs };
      if (row != null && row.expiresAtMs !== null && isExpired(row)) {
        return { kind: "expired", tail: row.tail, expiredAtMs: row.expiresAtMs };
      }
      return { kind: "known", caller: entry.caller, chosen: row === null };
    },

    isActive(keyId) {
      const row = byId.get(keyId)?.row;
      return row != null && row.revokedAtMs === null && !isExpired(row);
    },

    touch(keyId) {
      const monotonicMs = clock.monotonicMs();
      const before = lastUses.get(keyId);
      if (before !== undefined && monotonicMs - before.monotonicMs < touchEveryMs) return;
      const atMs = clock.now();
      lastUses.set(keyId, { atMs, monotonicMs });
      keys.touchLastUsed(keyId, atMs);
    },
  };
}
