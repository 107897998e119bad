/**
 * What home and a rented machine say to each other, as the text that is signed. Pure. Each text begins with its own word, so that
 * none can be taken for another, and no part can hold a line end.
 */

/** Home to its machine: I am here. Signed with home's Ed25519 key over a challenge that the machine gave. */
export interface Heartbeat {
  /** The market's number of the machine; empty: it does not know. */
  readonly instance: string;
  readonly challenge: string;
  /** Home's clock, epoch milliseconds. */
  readonly atMs: number;
}

/** A machine to its home: I go. */
export interface RentalNotice {
  readonly instance: string;
  readonly reason: string;
  /** The machine's clock, epoch milliseconds. */
  readonly atMs: number;
}

export function heartbeatText({ instance, challenge, atMs }: Heartbeat): string {
  return lines("lanthorn-heartbeat-1", instance, challenge, String(atMs));
}

export function noticeText({ instance, reason, atMs }: RentalNotice): string {
  return lines("lanthorn-notice-1", instance, reason, String(atMs));
}

/** That a TLS certificate is the machine's own, to whoever knows the first key. */
export function proofText(nonce: string, fingerprint: string): string {
  return lines("lanthorn-certificate-1", nonce, fingerprint);
}

function lines(...parts: readonly string[]): string {
  return parts.map((part) => part.replace(/[\r\n]/g, " ")).join("\n");
}
