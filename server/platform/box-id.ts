/** Which data folder a server belongs to, as a word that tells nothing else. Runs in the server and the CLI. */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { hostname } from "node:os";

/** 12 hex digits, the same for every process of one data folder on one machine. */
export function boxId(home: string): string {
  let folder = home;
  try {
    folder = realpathSync(home);
  } catch {
    // Not made yet: then nobody else has it either.
  }
  return createHash("sha256").update(`${hostname()}\n${folder}`).digest("hex").slice(0, 12);
}
