/**
 * Where keys are made and ended: at the running server, or in the data folder's ledger while none runs. The commands see
 * one desk and do not know which. Runs in the command's process.
 */
import type { KeyLimits } from "../domain/caller.ts";
import type { KeyRow } from "../ledger/rows.ts";
import { createdKeyAnswer, keysAnswer, changedKeyAnswer } from "./answers.ts";
import { type Client, withClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { findServer } from "./server-address.ts";

export interface MadeKey {
  /** Shown once; nobody keeps it. */
  readonly secret: string;
  readonly key: KeyRow;
}

export interface NewKeyWishes {
  readonly name: string;
  readonly label: string | null;
  /** Epoch milliseconds; null: never. */
  readonly expiresAtMs: number | null;
  /** Shares no computed prefixes with other keys. */
  readonly isolate: boolean;
  /** Absent: as for every key. */
  readonly limits?: KeyLimits;
  /** The only aliases and models it may ask for; absent: all. */
  readonly routes?: readonly string[];
}

export interface KeyDesk {
  create(wishes: NewKeyWishes): Promise<MadeKey>;
  list(): Promise<readonly KeyRow[]>;
  revoke(id: number): Promise<KeyRow>;
  setLimits(id: number, limits: KeyLimits): Promise<KeyRow>;
  resetAdmin(): Promise<MadeKey>;
}

export async function withKeyDesk<Result>(
  context: CommandContext,
  work: (desk: KeyDesk) => Promise<Result>,
): Promise<Result> {
  const address = findServer(context.environment);
  if (address !== null) return withClient(address, (client) => work(deskOfServer(client, context)));
  const [{ withLedger }, { createKeyring }, { systemClock }] = await Promise.all([
    import("./data-folder.ts"),
    import("../access/keyring.ts"),
    import("../platform/clock.ts"),
  ]);
  return withLedger(context.environment, (ledger) => {
    const keyring = createKeyring({ keys: ledger.keys, clock: systemClock, environmentAdminKey: null });
    return work({
      create: async (wishes) => {
        const { secret, row } = keyring.create({ kind: "inference", ...wishes });
        return { secret, key: row };
      },
      list: async () => keyring.list(),
      revoke: async (id) => keyring.revoke(id) ?? gone(),
      setLimits: async (id, limits) => keyring.setLimits(id, limits) ?? gone(),
      resetAdmin: async () => {
        const { secret, row } = keyring.resetAdmin();
        await keepOwnKey(secret, context);
        return { secret, key: row };
      },
    });
  });
}

function deskOfServer(client: Client, context: CommandContext): KeyDesk {
  return {
    create: (wishes) => client.call("POST", "/admin/keys", createdKeyAnswer, { body: wishes }),
    list: async () => (await client.call("GET", "/admin/keys", keysAnswer)).keys,
    revoke: async (id) => (await client.call("DELETE", `/admin/keys/${id}`, changedKeyAnswer)).key,
    setLimits: async (id, limits) =>
      (await client.call("POST", `/admin/keys/${id}/limits`, changedKeyAnswer, { body: limits })).key,
    resetAdmin: async () => {
      const made = await client.call("POST", "/admin/keys/reset-admin", createdKeyAnswer, { body: {} });
      if (client.address.pid !== null) await keepOwnKey(made.secret, context);
      return made;
    },
  };
}

/**
 * The admin key of this data folder's server, where commands on this box read it. A start that finds an admin key in the
 * ledger makes none, so the file must follow every reset, or the box's own user is locked out.
 */
async function keepOwnKey(secret: string, context: CommandContext): Promise<void> {
  const [{ writeAdminKey }, { dataPaths }] = await Promise.all([
    import("../access/admin-key.ts"),
    import("../platform/paths.ts"),
  ]);
  writeAdminKey(dataPaths(context.environment).adminKey, secret);
}

function gone(): never {
  throw new CommandFailure(exitCodes.noSuchThing, "no_such_key", "There is no such key any more", {
    next: ["lanthorn keys list"],
  });
}
