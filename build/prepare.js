// @ts-check
/** The way into every script: set up, then make what that script needs. Runs on a plain Node 20: `node:` imports only. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { makeWhenStale } from "./products.js";
import { setUp } from "./setup.js";

/** Top folder of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is done and what failed goes to stderr: stdout belongs to the command. @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Ends the process with status 1, after a sentence, where something cannot be installed or built.
 * @param {...("renderer" | "server")} needed
 */
export async function prepare(...needed) {
  if (!(await setUp(root, say))) process.exit(1);
  for (const name of needed) {
    if (!(await makeWhenStale(root, name, say))) process.exit(1);
  }
}
