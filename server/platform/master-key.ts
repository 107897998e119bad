/**
 * The key that other secrets are sealed with: a file that somebody names, a credential of systemd, or `master.key` in the data
 * folder, made when it is first needed. Runs in the server and in commands that hold the data lock.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../domain/failure.ts";
import { othersMayRead, writeOwnerFile } from "./owner-file.ts";

export interface MasterKeyPlace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `master.key` of the data folder. */
  readonly file: string;
}

/** The name a unit gives it: `LoadCredentialEncrypted=lanthorn-master-key`. */
const credentialName = "lanthorn-master-key";
const keyBytes = 32;
/**
 * systemd lets the service's user read its credential by an ACL where the file system has ACLs, and `stat` shows the mask of an ACL
 * as the group's bits: 0440 for a file that no group may read.
 */
const credentialBits = 0o040;

/** 32 bytes. Throws Failure `cannot_start` for a file that is named and cannot be used. */
export function openMasterKey({ environment, file }: MasterKeyPlace): Uint8Array {
  const named = environment.LANTHORN_MASTER_KEY_FILE?.trim();
  if (named) return keyIn(named, "LANTHORN_MASTER_KEY_FILE");
  const credentials = environment.CREDENTIALS_DIRECTORY?.trim();
  const credential = credentials ? join(credentials, credentialName) : "";
  if (credential !== "" && existsSync(credential)) {
    return keyIn(credential, "the systemd credential", credentialBits);
  }
  if (!existsSync(file)) writeOwnerFile(file, `${randomBytes(keyBytes).toString("base64")}\n`);
  return keyIn(file, "the data folder");
}

/** `allowed`: bits of the mode that are no reason to refuse the file. */
function keyIn(file: string, where: string, allowed = 0): Uint8Array {
  const refuse = (why: string, cause?: unknown) =>
    new Failure("cannot_start", `The master key of ${where} cannot be used: ${file}.`, {
      cause,
      why,
      next: [`openssl rand -base64 32 > ${file} && chmod 600 ${file}`],
    });
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw refuse("The file is not there, or this user may not read it.", cause);
  }
  if (othersMayRead(file, allowed)) throw refuse("Others may read it: its mode must be 0600 or stricter.");
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, "hex") : Buffer.from(text, "base64");
  if (bytes.length !== keyBytes) throw refuse("It must hold 32 random bytes, as base64 or as 64 hexadecimal digits.");
  return bytes;
}
