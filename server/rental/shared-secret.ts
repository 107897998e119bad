/**
 * What home and its rented machine sign short messages with: a secret made from the first key, which both know. The key itself is
 * never sent for it. Runs in the server, on both sides.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface SharedSecret {
  /** Base64url of an HMAC-SHA256. */
  sign(text: string): string;
  isSigned(text: string, signature: string): boolean;
}

export function sharedSecret(firstKey: string): SharedSecret {
  const secret = createHmac("sha256", firstKey).update("lanthorn rental 1").digest();
  const sign = (text: string) => createHmac("sha256", secret).update(text, "utf8").digest("base64url");
  return {
    sign,
    isSigned: (text, signature) => {
      const [right, given] = [Buffer.from(sign(text)), Buffer.from(signature)];
      return right.length === given.length && timingSafeEqual(right, given);
    },
  };
}
