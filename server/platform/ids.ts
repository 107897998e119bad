/**
 * Identifiers and secrets from the system's random source. Runs in the server and the CLI; imports node:crypto only.
 */
import { randomFillSync } from "node:crypto";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** 22 characters of 62: 131 bits. */
const requestIdCharacters = 22;
/** 43 characters of 62: 256 bits, so a plain hash of a key is safe at rest. */
const secretCharacters = 43;

/** Gives random bytes one by one, asking the system once per `poolBytes`. */
function randomBytesFrom(poolBytes: number): () => number {
  const pool = new Uint8Array(poolBytes);
  let next = poolBytes;
  return () => {
    if (next === poolBytes) {
      randomFillSync(pool);
      next = 0;
    }
    const byte = pool[next] ?? 0;
    // What was given out does not stay behind in memory.
    pool[next] = 0;
    next += 1;
    return byte;
  };
}

function base62(characters: number, nextByte: () => number): string {
  let text = "";
  while (text.length < characters) {
    // Six bits; 62 and 63 are thrown away, so that every character is equally likely.
    const index = nextByte() & 63;
    if (index < alphabet.length) text += alphabet[index];
  }
  return text;
}

const pooled = randomBytesFrom(8192);

/** `req_` and 22 base62 characters: the ledger's id of a request and its `x-request-id`. */
export function newRequestId(): string {
  return `req_${base62(requestIdCharacters, pooled)}`;
}

/** A new key, `lth_` and 43 base62 characters. Shown once, stored only as its hash. */
export function newKeySecret(): string {
  return `lth_${base62(secretCharacters, randomBytesFrom(64))}`;
}

/** The value of a browser's session cookie: 43 base62 characters. */
export function newSessionToken(): string {
  return base62(secretCharacters, randomBytesFrom(64));
}

/** `call_` and 22 base62 characters: names one tool call, so that its result can be told from all others ever made. */
export function newToolCallId(): string {
  return `call_${base62(requestIdCharacters, pooled)}`;
}

/** `file-` and 22 base62 characters: names what a client uploaded, or what came of a batch. */
export function newFileId(): string {
  return `file-${base62(requestIdCharacters, pooled)}`;
}

/** `batch_` and 22 base62 characters. */
export function newBatchId(): string {
  return `batch_${base62(requestIdCharacters, pooled)}`;
}
