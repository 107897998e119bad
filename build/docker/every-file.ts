/** Every file below a folder, those in node_modules and links included, as paths from it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

export function everyFileBelow(folder: string, path = ""): readonly string[] {
  return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
    const name = path === "" ? entry.name : `${path}/${entry.name}`;
    return entry.isDirectory() ? everyFileBelow(folder, name) : [name];
  });
}
