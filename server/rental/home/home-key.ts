/**
 * The key that this box signs its heartbeats with, so that its rented machines know that home is alive. Made when it is first needed;
 * the private half never leaves the data folder. Runs in the server of the box that rents.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { existsSync } from "node:fs";
import { Failure } from "../../domain/failure.ts";
import { readOwnerFile, writeOwnerFile } from "../../platform/owner-file.ts";

export interface HomeKey {
  /** 32 bytes in base64: LANTHORN_HOME_PUBLIC_KEY of a rented machine. */
  readonly publicKey: string;
  /** Base64. */
  sign(text: string): string;
}

/** `file`: absolute, mode 0600. Throws Failure `cannot_start` for one that holds no such key. */
export function openHomeKey(file: string): HomeKey {
  const key = readKey(file) ?? makeKey(file);
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return {
    publicKey: Buffer.from(x, "base64url").toString("base64"),
    sign: (text) => sign(null, Buffer.from(text, "utf8"), key).toString("base64"),
  };
}

function readKey(file: string): KeyObject | null {
  if (!existsSync(file)) return null;
  const text = readOwnerFile(file);
  if (text === null) throw cannotUse(file);
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch (cause) {
    throw cannotUse(file, cause);
  }
  throw cannotUse(file);
}

function makeKey(file: string): KeyObject {
  const { privateKey } = generateKeyPairSync("ed25519");
  writeOwnerFile(file, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  return privateKey;
}

function cannotUse(file: string, cause?: unknown): Failure {
  return new Failure("cannot_start", `The key of this box for its rented machines cannot be used: ${file}.`, {
    cause,
    why: "It must be an Ed25519 key in PEM form. Machines that were rented with another one do not hear this box.",
    next: [`mv ${file} ${file}.old`],
  });
}
