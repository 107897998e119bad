/**
 * The keys of providers that were handed to this box: sealed before they are stored, opened for the pool that uses them, shown to
 * nobody. Runs in the server, and in `provider` commands that hold the data lock.
 */
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import type { KeyPurpose, ProviderKeyRow, ProviderKeyStore } from "../ledger/provider-keys.ts";
import { seal, unseal } from "../platform/sealed.ts";

export interface NewProviderSecret {
  readonly provider: string;
  /** Of the base URL: the key goes there and nowhere else. */
  readonly host: string;
  /** Absent: for calls. */
  readonly purpose?: KeyPurpose;
  readonly secret: string;
  readonly label: string | null;
  readonly weight: number;
}

export interface OpenedKey {
  readonly row: ProviderKeyRow;
  /** Null: it cannot be opened with the master key there is. */
  readonly secret: string | null;
}

export interface ProviderKeyring {
  /** Throws `invalid_request` for what cannot be a key. */
  add(key: NewProviderSecret): ProviderKeyRow;
  list(): readonly ProviderKeyRow[];
  /** Those of one provider that are for this host, and for calls unless said otherwise. */
  open(provider: string, host: string, purpose?: KeyPurpose): readonly OpenedKey[];
  remove(provider: string, id: number): ProviderKeyRow | null;
  removeAll(provider: string): number;
}

export interface ProviderKeyringPorts {
  readonly store: ProviderKeyStore;
  readonly clock: Clock;
  /** Asked when the first key is sealed or opened: a box without keys makes none. */
  readonly masterKey: () => Uint8Array;
}

const mostWeight = 1_000;
/** A key goes into a header: one line of plain characters. */
const keyShape = /^[\x21-\x7e]{4,4000}$/;

export function createProviderKeyring({ store, clock, masterKey }: ProviderKeyringPorts): ProviderKeyring {
  let opened: Uint8Array | null = null;
  const master = () => {
    opened ??= masterKey();
    return opened;
  };
  return {
    add: ({ provider, host, purpose = "calls", secret, label, weight }) => {
      if (!keyShape.test(secret)) {
        throw new Failure("invalid_request", "That is no key: it must be one word of plain characters.", {
          param: "key",
        });
      }
      if (!Number.isInteger(weight) || weight < 1 || weight > mostWeight) {
        throw new Failure("invalid_request", `The weight must be a whole number from 1 to ${mostWeight}.`, {
          param: "weight",
        });
      }
      return store.add({
        provider,
        host,
        purpose,
        label,
        weight,
        tail: secret.length < 12 ? "" : secret.slice(-4),
        sealed: seal(master(), secret, sealPurpose(purpose, provider, host)),
        createdAtMs: clock.now(),
      });
    },
    list: () => store.all().map(({ sealed: _sealed, ...row }) => row),
    open: (provider, host, purpose = "calls") =>
      store
        .all()
        .filter((row) => row.provider === provider && row.host === host && row.purpose === purpose)
        .map(({ sealed, ...row }) => ({ row, secret: unseal(master(), sealed, sealPurpose(purpose, provider, host)) })),
    remove: (provider, id) => store.remove(provider, id),
    removeAll: (provider) => store.removeAll(provider),
  };
}

/** A key that was sealed for bills opens for nothing else. */
function sealPurpose(purpose: KeyPurpose, provider: string, host: string): string {
  return `${purpose === "bills" ? "bills" : "provider"} key\n${provider}\n${host}`;
}
