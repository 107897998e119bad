/**
 * Where keys are made and ended: at the running server, or in the data folder's ledger while none runs. The commands see
 * one desk and do not know which. Runs in the command's process.
 */
import type { KeyRow } from "../ledger/rows.ts";
import { createdKeyAnswer, keysAnswer, revokedKeyAnswer } from "./answers.ts";
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

export interface KeyDesk {
  create(name: string, label: string | null): Promise<MadeKey>;
  list(): Promise<readonly KeyRow[]>;
  revoke(id: number): Promise<KeyRow>;
  resetAdmin(): Promise<MadeKey>;
}

export async function withKeyDesk<Result>(
  context: CommandContext,
  work: (desk: KeyDesk) => Promise<Result>,
): Promise<Result> {
  const address = findServer(context.environment);
  if (address !== null) return withClient(address, (client) => work(deskOfServer(client)));
  const [{ withLedger }, { createKeyring }, { writeAdminKey }, { systemClock }] = await Promise.all([
    import("./data-folder.ts"),
    import("../access/keyring.ts"),
    import("../access/admin-key.ts"),
    import("../platform/clock.ts"),
  ]);
  return withLedger(context.environment, (ledger, paths) => {
    const keyring = createKeyring({ keys: ledger.keys, clock: systemClock, environmentAdminKey: null });
    return work({
      create: async (name, label) => {
        const { secret, row } = keyring.create({ kind: "inference", name, label });
        return { secret, key: row };
      },
      list: async () => keyring.list(),
      revoke: async (id) => keyring.revoke(id) ?? gone(),
      resetAdmin: async () => {
        const { secret, row } = keyring.resetAdmin();
        // The next start finds an admin key in the ledger and makes none, so the commands' copy must be this one.
        writeAdminKey(paths.adminKey, secret);
        return { secret, key: row };
      },
    });
  });
}

function deskOfServer(client: Client): KeyDesk {
  return {
    create: (name, label) => client.call("POST", "/admin/keys", createdKeyAnswer, { body: { name, label } }),
    list: async () => (await client.call("GET", "/admin/keys", keysAnswer)).keys,
    revoke: async (id) => (await client.call("DELETE", `/admin/keys/${id}`, revokedKeyAnswer)).key,
    resetAdmin: () => client.call("POST", "/admin/keys/reset-admin", createdKeyAnswer, { body: {} }),
  };
}

function gone(): never {
  throw new CommandFailure(exitCodes.noSuchThing, "no_such_key", "There is no such key any more", {
    next: ["lanthorn keys list"],
  });
}
