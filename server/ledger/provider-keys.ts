/**
 * Keys of providers at rest: sealed, with their last characters. Neither a secret nor the master key comes into this room. Runs on
 * the server's thread, or in a command that holds the data lock.
 */
import { askedFor } from "./asked.ts";
import type Database from "better-sqlite3";

/** `bills`: it reads what the provider bills and is used for no call. */
export type KeyPurpose = "calls" | "bills";

export interface ProviderKeyRow {
  readonly id: number;
  /** As the settings call it. */
  readonly provider: string;
  /** The host, with its port where it has one, that the key is for. */
  readonly host: string;
  readonly purpose: KeyPurpose;
  readonly label: string | null;
  readonly weight: number;
  readonly tail: string;
  readonly createdAtMs: number;
}

export interface SealedProviderKey extends ProviderKeyRow {
  readonly sealed: Uint8Array;
}

export type NewProviderKey = Omit<SealedProviderKey, "id">;

/** Every method is done when it returns, and throws Failure `ledger_unavailable` when it cannot be. */
export interface ProviderKeyStore {
  add(key: NewProviderKey): ProviderKeyRow;
  /** All of them, oldest first. */
  all(): readonly SealedProviderKey[];
  /** Null: there is no such key of this provider. */
  remove(provider: string, id: number): ProviderKeyRow | null;
  /** How many there were. */
  removeAll(provider: string): number;
}

interface Columns {
  readonly id: number;
  readonly provider: string;
  readonly host: string;
  readonly purpose: KeyPurpose;
  readonly label: string | null;
  readonly weight: number;
  readonly tail: string;
  readonly sealed: Uint8Array;
  readonly created_at_ms: number;
}

function rowOf(columns: Columns): ProviderKeyRow {
  const { id, provider, host, purpose, label, weight, tail, created_at_ms: createdAtMs } = columns;
  return { id, provider, host, purpose, label, weight, tail, createdAtMs };
}

const asked = askedFor("The keys of providers");

export function createProviderKeyStore(database: Database.Database): ProviderKeyStore {
  const insert = database.prepare<
    [string, string, KeyPurpose, string | null, number, string, Uint8Array, number],
    Columns
  >(
    `INSERT INTO provider_keys (provider, host, purpose, label, weight, tail, sealed, created_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`,
  );
  const all = database.prepare<[], Columns>("SELECT * FROM provider_keys ORDER BY id");
  const remove = database.prepare<[string, number], Columns>(
    "DELETE FROM provider_keys WHERE provider = ? AND id = ? RETURNING *",
  );
  const removeAll = database.prepare<[string]>("DELETE FROM provider_keys WHERE provider = ?");

  return {
    add: (key) =>
      asked(() => {
        const { provider, host, purpose, label, weight, tail, sealed, createdAtMs } = key;
        const row = insert.get(provider, host, purpose, label, weight, tail, sealed, createdAtMs);
        if (row === undefined) throw new Error("the key's row did not come back");
        return rowOf(row);
      }),
    all: () => asked(() => all.all().map((row) => ({ ...rowOf(row), sealed: row.sealed }))),
    remove: (provider, id) =>
      asked(() => {
        const row = remove.get(provider, id);
        return row === undefined ? null : rowOf(row);
      }),
    removeAll: (provider) => asked(() => removeAll.run(provider).changes),
  };
}
