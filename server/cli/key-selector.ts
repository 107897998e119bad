/** Which key a person means: its id, its last four characters, `lth_…9f3c`, or the name it was made for. Pure. */
import type { KeyRow } from "../ledger/rows.ts";
import { CommandFailure, usageFailure } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";

/** How a key is shown when its secret is not. */
export function keyMark(key: KeyRow): string {
  return `lth_…${key.tail}`;
}

/**
 * The one living key that `selector` means. Throws exit 5 for none, exit 2 for several. A revoked key is found only by what
 * cannot mean another one, so that revoking it again is a success.
 */
export function selectKey(keys: readonly KeyRow[], selector: string): KeyRow {
  const wanted = selector.trim();
  const byId = keys.find((key) => /^\d+$/u.test(wanted) && key.id === Number(wanted));
  const tail = wanted.slice(-4);
  const byTail = /^(lth_.*)?.{4}$/u.test(wanted) ? keys.filter((key) => key.tail === tail) : [];
  const byName = keys.filter((key) => key.name === wanted && key.revokedAtMs === null);
  const found = [...new Set([...byTail, ...byName, ...(byId === undefined ? [] : [byId])])];
  const living = found.filter((key) => key.revokedAtMs === null);
  const [first, ...others] = living.length > 0 ? living : found;
  if (first === undefined) {
    throw new CommandFailure(exitCodes.noSuchThing, "no_such_key", "There is no such key", {
      why: "A key is named by its id, its last four characters, or the name it was made for.",
      next: ["lanthorn keys list"],
    });
  }
  if (others.length > 0) {
    const choices = [first, ...others].map((key) => `${key.id} (${key.name}, ${keyMark(key)})`).join(", ");
    throw usageFailure(`${living.length} keys are meant`, choices, [`lanthorn keys revoke ${first.id}`]);
  }
  return first;
}
