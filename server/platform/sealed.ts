/**
 * Secrets at rest: AES-256-GCM under the box's master key. What a secret is for is bound into the seal, so that a sealed key
 * cannot be moved to another place. Runs in the server and in commands; imports node:crypto only.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const nonceBytes = 12;
const tagBytes = 16;
const cipher = "aes-256-gcm";

/** `masterKey` has 32 bytes. The nonce stands first, the tag last. */
export function seal(masterKey: Uint8Array, secret: string, purpose: string): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const sealing = createCipheriv(cipher, masterKey, nonce);
  sealing.setAAD(Buffer.from(purpose));
  const body = Buffer.concat([sealing.update(secret, "utf8"), sealing.final()]);
  return Buffer.concat([nonce, body, sealing.getAuthTag()]);
}

/** Null: another master key, another purpose, or somebody changed it. */
export function unseal(masterKey: Uint8Array, sealed: Uint8Array, purpose: string): string | null {
  if (sealed.length < nonceBytes + tagBytes) return null;
  const bytes = Buffer.from(sealed);
  try {
    const opening = createDecipheriv(cipher, masterKey, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
    opening.setAAD(Buffer.from(purpose));
    opening.setAuthTag(bytes.subarray(bytes.length - tagBytes));
    const body = opening.update(bytes.subarray(nonceBytes, bytes.length - tagBytes));
    return Buffer.concat([body, opening.final()]).toString("utf8");
  } catch {
    return null;
  }
}
