/**
 * Finds the file of a module that is to be started as a process of its own. Runs in any process of the server. The product runs as
 * sources (`.ts`) in a checkout and as compiled files (`.js`) in a package; a sibling is whatever the asking file is.
 */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Path of a module beside the asking one: `resolveSibling(import.meta.url, "./worker/main")`. The name has no extension. Does
 * not look whether the file exists: starting it will tell.
 */
export function resolveSibling(askingUrl: string, name: string): string {
  const extension = extname(new URL(askingUrl).pathname);
  return fileURLToPath(new URL(`${name}${extension}`, askingUrl));
}
