/**
 * Identifiers and secrets from the system's random source. Runs in the server and the CLI; imports node:crypto only.
 */
import { randomFillSync } from "node:crypto";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** 22 characters of 62: 131 bits. */
const idCharacters = 22;
/** The first of a request's id: the millisecond, until the year 2081. The other 15 are 89 bits. */
const timeCharacters = 7;
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

let timeMs = 0;
let timeText = "";

/** `ms` in base 62, so that later is also later in the order of text. */
function timeOf(ms: number): string {
  if (ms === timeMs) return timeText;
  let text = "";
  let left = ms;
  while (text.length < timeCharacters) {
    text = (alphabet[left % 62] ?? "") + text;
    left = Math.floor(left / 62);
  }
  timeMs = ms;
  timeText = text;
  return text;
}

/**
 * `req_` and 22 base62 characters: the ledger's id of a request and its `x-request-id`. They begin with the time, because the ledger has an
 * index of them: ids in no order change another page of it with each request, and those pages were a third of what a commit wrote.
 */
export function newRequestId(): string {
  return `req_${timeOf(Date.now())}${base62(idCharacters - timeCharacters, pooled)}`;
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
  return `call_${base62(idCharacters, pooled)}`;
}

/** `file-` and 22 base62 characters: names what a client uploaded, or what came of a batch. */
export function newFileId(): string {
  return `file-${base62(idCharacters, pooled)}`;
}

/** `batch_` and 22 base62 characters. */
export function newBatchId(): string {
  return `batch_${base62(idCharacters, pooled)}`;
}
