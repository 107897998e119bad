/**
 * Keys at rest: who holds one, and the hash of its secret. The secret never comes into this room. Runs on the server's
 * thread, or in a command that holds the data lock.
 */
import { askedFor } from "./asked.ts";
import { hash } from "node:crypto";
import type Database from "better-sqlite3";
import { type KeyLimits, usualLimits } from "../domain/caller.ts";
import type { KeyRow } from "./rows.ts";

export interface NewKey {
  readonly kind: KeyRow["kind"];
  /** 1 to 100 characters. */
  readonly name: string;
  readonly label: string | null;
  /** From `hashKey`: 32 bytes. */
  readonly hash: Uint8Array;
  /** Last four characters of the secret. */
  readonly tail: string;
  readonly createdAtMs: number;
  /** Refused from then on; null or absent: never. */
  readonly expiresAtMs?: number | null;
  /** Absent: it shares computed prefixes with others. */
  readonly isolate?: boolean;
  /** Absent: as for every key. */
  readonly limits?: KeyLimits;
  /** Null or absent: it may ask for everything. */
  readonly routes?: readonly string[] | null;
}

export interface StoredKey extends KeyRow {
  readonly hash: Uint8Array;
}

/** Every method but `touchLastUsed` is done when it returns, and throws Failure `ledger_unavailable` when it cannot be. */
export interface KeyStore {
  create(key: NewKey): KeyRow;
  /** All keys, revoked ones too, oldest first. */
  list(): readonly KeyRow[];
  loadAll(): readonly StoredKey[];
  findByHash(hash: Uint8Array): StoredKey | null;
  /** The row as it is afterwards; a key that was revoked before keeps its time. Null: no such key. */
  revoke(id: number, atMs: number): KeyRow | null;
  /** The row as it is afterwards. Null: no such key. */
  setLimits(id: number, limits: KeyLimits): KeyRow | null;
  /** Revokes every admin key and stores this one, both or neither. */
  replaceAdminKeys(key: NewKey): KeyRow;
  /** Written along with the next commit; never blocks and never throws. */
  touchLastUsed(id: number, atMs: number): void;
}

/** SHA-256. A plain hash is enough for a secret of 256 random bits: there is nothing to guess. */
export function hashKey(secret: string): Uint8Array {
  return hash("sha256", secret, "buffer");
}

interface Columns {
  readonly id: number;
  readonly kind: KeyRow["kind"];
  readonly name: string;
  readonly label: string | null;
  readonly hash: Uint8Array;
  readonly tail: string;
  readonly created_at_ms: number;
  readonly last_used_at_ms: number | null;
  readonly revoked_at_ms: number | null;
  readonly expires_at_ms: number | null;
  readonly isolate: number;
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
  readonly concurrent: number | null;
  readonly priority: number;
  readonly routes: string | null;
}

function keyRow(columns: Columns): KeyRow {
  return {
    id: columns.id,
    kind: columns.kind,
    name: columns.name,
    label: columns.label,
    tail: columns.tail,
    createdAtMs: columns.created_at_ms,
    lastUsedAtMs: columns.last_used_at_ms,
    revokedAtMs: columns.revoked_at_ms,
    expiresAtMs: columns.expires_at_ms,
    isolate: columns.isolate === 1,
    limits: {
      requestsPerMinute: columns.requests_per_minute,
      tokensPerMinute: columns.tokens_per_minute,
      concurrent: columns.concurrent,
      priority: columns.priority,
    },
    routes: columns.routes === null ? null : (JSON.parse(columns.routes) as readonly string[]),
  };
}

function storedKey(columns: Columns): StoredKey {
  return { ...keyRow(columns), hash: columns.hash };
}

/** Runs `work`; whatever the database throws becomes one failure. */
const asked = askedFor("The keys");

export function createKeyStore(database: Database.Database, touchKey: (id: number, atMs: number) => void): KeyStore {
  type LimitValues = [number | null, number | null, number | null, number];
  const insert = database.prepare<
    [string, string, string | null, Uint8Array, string, number, number | null, number, ...LimitValues, string | null],
    Columns
  >(
    `INSERT INTO keys (kind, name, label, hash, tail, created_at_ms, expires_at_ms, isolate, requests_per_minute,
       tokens_per_minute, concurrent, priority, routes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`,
  );
  const limit = database.prepare<[...LimitValues, number], Columns>(
    `UPDATE keys SET requests_per_minute = ?, tokens_per_minute = ?, concurrent = ?, priority = ? WHERE id = ?
     RETURNING *`,
  );
  const limitValues = (limits: KeyLimits): LimitValues => [
    limits.requestsPerMinute,
    limits.tokensPerMinute,
    limits.concurrent,
    limits.priority,
  ];
  const all = database.prepare<[], Columns>("SELECT * FROM keys ORDER BY id");
  const byHash = database.prepare<[Uint8Array], Columns>("SELECT * FROM keys WHERE hash = ?");
  const revoke = database.prepare<[number, number], Columns>(
    "UPDATE keys SET revoked_at_ms = coalesce(revoked_at_ms, ?) WHERE id = ? RETURNING *",
  );
  const revokeAdmins = database.prepare<[number]>(
    "UPDATE keys SET revoked_at_ms = ? WHERE kind = 'admin' AND revoked_at_ms IS NULL",
  );

  function store(key: NewKey): KeyRow {
    const { kind, name, label, hash: hashed, tail, createdAtMs, expiresAtMs = null, isolate = false } = key;
    const limits = limitValues(key.limits ?? usualLimits);
    const routes = key.routes == null ? null : JSON.stringify(key.routes);
    const owner = [kind, name, label, hashed, tail] as const;
    const row = insert.get(...owner, createdAtMs, expiresAtMs, Number(isolate), ...limits, routes);
    if (row === undefined) throw new Error("the key's row did not come back");
    return keyRow(row);
  }

  const replace = database.transaction((key: NewKey): KeyRow => {
    revokeAdmins.run(key.createdAtMs);
    return store(key);
  });

  return {
    create: (key) => asked(() => store(key)),
    list: () => asked(() => all.all().map(keyRow)),
    loadAll: () => asked(() => all.all().map(storedKey)),
    findByHash: (wanted) =>
      asked(() => {
        const row = byHash.get(wanted);
        return row === undefined ? null : storedKey(row);
      }),
    revoke: (id, atMs) =>
      asked(() => {
        const row = revoke.get(atMs, id);
        return row === undefined ? null : keyRow(row);
      }),
    setLimits: (id, limits) =>
      asked(() => {
        const row = limit.get(...limitValues(limits), id);
        return row === undefined ? null : keyRow(row);
      }),
    replaceAdminKeys: (key) => asked(() => replace.immediate(key)),
    touchLastUsed: touchKey,
  };
}
