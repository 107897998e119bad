/**
 * The first inference key of a box that nobody sits at, handed in from outside: LANTHORN_FIRST_KEY. Its hash is stored like that of any
 * other key, and another value at a later start takes its place. Runs in the server.
 */
import { Failure } from "../domain/failure.ts";
import type { KeyRow } from "../ledger/rows.ts";
import type { Keyring } from "./keyring.ts";

/** It is checked without a limit on tries, so it must be beyond guessing: 32 characters of a random source. */
const shortestKey = 32;
const longestKey = 200;
/** Under this label it is known which key the environment brought. */
const label = "handed in at the start";

/** Null: it is not set. Throws Failure `cannot_start`. */
export function firstKeyFromEnvironment(environment: Readonly<Record<string, string | undefined>>): string | null {
  const given = environment.LANTHORN_FIRST_KEY?.trim() ?? "";
  if (given === "") return null;
  const isAdminKey = given === environment.LANTHORN_ADMIN_KEY?.trim();
  if (given.length >= shortestKey && given.length <= longestKey && /^[\x21-\x7e]+$/.test(given) && !isAdminKey) {
    return given;
  }
  throw new Failure("cannot_start", "LANTHORN_FIRST_KEY cannot be used as a key.", {
    why: isAdminKey
      ? "It is the admin key: whoever asks for answers must not administer."
      : `It must be ${shortestKey} to ${longestKey} letters, digits or signs, without spaces.`,
    next: ['LANTHORN_FIRST_KEY="$(openssl rand -hex 32)" lanthorn serve --headless'],
  });
}

/** The key's row. Throws Failure `cannot_start` when it was revoked here: whoever revoked it meant it. */
export function takeFirstKey(secret: string, keyring: Pick<Keyring, "adopt" | "list" | "revoke">): KeyRow {
  const row = keyring.adopt(secret, { kind: "inference", name: "home", label });
  if (row.revokedAtMs !== null || row.kind !== "inference") {
    throw new Failure("cannot_start", "LANTHORN_FIRST_KEY cannot be used on this box.", {
      why:
        row.kind === "inference"
          ? `The key …${row.tail} was revoked here, by an admin or by a later first key, and stays so.`
          : "It is an admin key of this box: whoever asks for answers must not administer.",
      next: ['LANTHORN_FIRST_KEY="$(openssl rand -hex 32)" lanthorn serve --headless'],
    });
  }
  for (const other of keyring.list()) {
    if (other.label === label && other.id !== row.id && other.revokedAtMs === null) keyring.revoke(other.id);
  }
  return row;
}

/** What the environment handed in, taken; null: nothing. Throws Failure `cannot_start`. */
export function firstKeyOf(
  environment: Readonly<Record<string, string | undefined>>,
  keyring: Pick<Keyring, "adopt" | "list" | "revoke">,
): { readonly secret: string; readonly keyId: number } | null {
  const secret = firstKeyFromEnvironment(environment);
  return secret === null ? null : { secret, keyId: takeFirstKey(secret, keyring).id };
}
