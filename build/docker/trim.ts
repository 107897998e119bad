/**
 * `node build/docker/trim.ts <node_modules>`: removes what is never read at run time (types, maps, sources of native parts, builds for
 * other systems), by the rule that packed folders go by. Run in the Dockerfile, under a plain Node 24 with nothing installed.
 */
import { lstatSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { isWanted, type Machine } from "../pack.ts";

/** Removes unwanted files below `modules` and folders that are empty then. Returns the bytes that were freed. */
export function trim(modules: string, machine: Machine): number {
  let freedBytes = 0;
  const visit = (folder: string, path: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const place = join(folder, entry.name);
      const name = `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        visit(place, name);
        if (readdirSync(place).length === 0) rmdirSync(place);
      } else if (!isWanted(name, machine)) {
        freedBytes += lstatSync(place).size;
        rmSync(place);
      }
    }
  };
  visit(modules, "node_modules");
  return freedBytes;
}

if (import.meta.main) {
  const modules = process.argv[2];
  if (modules === undefined) throw new Error("Usage: node build/docker/trim.ts <node_modules>");
  const freedBytes = trim(resolve(modules), process);
  console.log(`${modules}: ${(freedBytes / 1e6).toFixed(1)} MB that nobody reads at run time are gone.`);
}
