// @ts-check
/** The way into every script: set up, make what that script needs, run it. Runs on a plain Node 20: `node:` imports only. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { ownNode, runInFront, stopWithParent } from "./child.js";
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
  stopWithParent();
  if (!(await setUp(root, say))) process.exit(1);
  for (const name of needed) {
    if (!(await makeWhenStale(root, name, say))) process.exit(1);
  }
}

/** Runs a script under the project's Node, in front, and ends as it does. @param {...string} args  the script and its arguments */
export async function runScript(...args) {
  process.exitCode = await runInFront(ownNode(root) ?? process.execPath, args, { cwd: root });
}
