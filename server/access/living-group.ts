/** Whose computed prefixes may still be kept. Pure over the keyring; runs in the server process. */
import { groupOfKey, sharedGroup } from "../domain/caller.ts";
import type { Keyring } from "./keyring.ts";

/** Saved states are of everybody, or of a key that keeps apart and still works. */
export function isLivingGroup(group: string, keyring: Pick<Keyring, "list">, nowMs: number): boolean {
  return (
    group === sharedGroup ||
    keyring.list().some((key) => {
      const isLiving = key.revokedAtMs === null && (key.expiresAtMs === null || key.expiresAtMs > nowMs);
      return key.isolate && isLiving && groupOfKey(key.id) === group;
    })
  );
}
