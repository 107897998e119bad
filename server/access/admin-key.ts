/**
 * The first admin key: whether a start needs one, where it goes, and the file that the box's own user reads it from.
 * The decision is pure; carrying it out writes one row and one file. Runs in the server and in `keys` commands.
 */
import { Failure } from "../domain/failure.ts";
import { readOwnerFile, writeOwnerFile } from "../platform/owner-file.ts";
import type { Keyring } from "./keyring.ts";

/** A chosen key shorter than this is a word somebody may guess. */
const shortestChosenKey = 8;

/** Mode 0600, replaced in one step. Throws what the file system throws. */
export function writeAdminKey(path: string, secret: string): void {
  writeOwnerFile(path, `${secret}\n`);
}

/** Null: no file, not readable for this user, or no key in it. */
export function readAdminKey(path: string): string | null {
  const secret = readOwnerFile(path)?.trim() ?? "";
  return /^lth_[0-9A-Za-z]{43}$/.test(secret) ? secret : null;
}

/** LANTHORN_ADMIN_KEY; null when it is not set. Throws Failure `cannot_start` when it could be guessed. */
export function adminKeyFromEnvironment(environment: Readonly<Record<string, string | undefined>>): string | null {
  const chosen = environment.LANTHORN_ADMIN_KEY?.trim() ?? "";
  if (chosen === "") return null;
  if (chosen.length < shortestChosenKey || !/^[\x21-\x7e]+$/.test(chosen)) {
    throw new Failure("cannot_start", "LANTHORN_ADMIN_KEY cannot be used as an admin key.", {
      why: `It must be at least ${shortestChosenKey} letters, digits or signs, without spaces.`,
      next: ['LANTHORN_ADMIN_KEY="$(openssl rand -hex 32)" lanthorn serve'],
    });
  }
  return chosen;
}

export interface StartFacts {
  /** Every address the server will listen on is a loopback address. */
  readonly loopbackOnly: boolean;
  readonly headless: boolean;
  /** The ledger has an admin key that works. */
  readonly hasAdminKey: boolean;
  /** LANTHORN_ADMIN_KEY is set. */
  readonly environmentKey: boolean;
  /** A person sees what is printed. */
  readonly terminal: boolean;
  /** `--lan` was given. */
  readonly lan: boolean;
  /** `--first-key-file` was given. */
  readonly firstKeyFile: boolean;
}

export type Admission =
  | {
      readonly start: true;
      /** The admin key to make; null when there is one. */
      readonly create: null | { readonly writeTo: "data-folder" | "first-key-file"; readonly print: boolean };
    }
  | { readonly start: false; readonly failure: Failure };

/** Whether the server may start as asked, and with which new admin key. */
export function admissionAtStart(facts: StartFacts): Admission {
  if (facts.hasAdminKey || facts.environmentKey) return { start: true, create: null };
  if (facts.firstKeyFile) return { start: true, create: { writeTo: "first-key-file", print: false } };
  if (facts.loopbackOnly) {
    // Who can read the data folder may administer; nothing has to be shown, unless nobody can open a page here.
    return { start: true, create: { writeTo: "data-folder", print: facts.headless && facts.terminal } };
  }
  if (facts.terminal && facts.lan) return { start: true, create: { writeTo: "data-folder", print: true } };
  return {
    start: false,
    failure: new Failure("cannot_start", "This address is open to other machines, and there is no admin key yet.", {
      why: "Without a terminal to show one on, set LANTHORN_ADMIN_KEY or give --first-key-file <file>.",
      next: facts.terminal
        ? ["lanthorn serve --lan"]
        : [
            'LANTHORN_ADMIN_KEY="$(openssl rand -hex 32)" lanthorn serve --host 0.0.0.0',
            "lanthorn serve --host 0.0.0.0 --first-key-file admin.key",
          ],
    }),
  };
}

export interface AdmissionPlaces {
  readonly keyring: Keyring;
  /** `admin.key` in the data folder. */
  readonly adminKeyFile: string;
  readonly firstKeyFile: string | null;
}

/**
 * Makes the key an admission asks for. Returns what has to be shown to the person at the terminal, once; null: nothing.
 * Throws the admission's own failure, and `cannot_start` when the key could not be put where it belongs.
 */
export function carryOutAdmission(
  admission: Admission,
  places: AdmissionPlaces,
): { readonly printOnce: string | null } {
  if (!admission.start) throw admission.failure;
  if (admission.create === null) return { printOnce: null };
  const { writeTo, print } = admission.create;
  const file = writeTo === "first-key-file" ? places.firstKeyFile : places.adminKeyFile;
  const { secret, row } = places.keyring.create({ kind: "admin", name: "admin", label: null });
  try {
    if (file === null) throw new Error("no file was named");
    writeAdminKey(file, secret);
  } catch (cause) {
    // A key nobody has would count as an admin key at the next start, and lock its owner out.
    places.keyring.revoke(row.id);
    throw new Failure("cannot_start", `The admin key could not be written to ${file}.`, {
      cause,
      why: "The folder must exist and this user must be able to write to it.",
      next: ["lanthorn serve --first-key-file <another file>"],
    });
  }
  return { printOnce: print ? secret : null };
}
