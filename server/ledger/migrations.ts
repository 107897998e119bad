/**
 * The numbered SQL files beside this one, in order. A schema's version is the number of the last one applied.
 */
import { readFileSync, readdirSync } from "node:fs";

export interface Migration {
  /** 1, 2, 3 …: `PRAGMA user_version` after it. */
  readonly number: number;
  readonly sql: string;
}

/** Sources and `dist/` both keep the folder beside this file. Throws when a number is missing: the package is broken. */
export function migrationsOnDisk(): readonly Migration[] {
  const folder = new URL("./migrations/", import.meta.url);
  const names = readdirSync(folder)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .sort();
  return names.map((name, index) => {
    const number = Number(name.slice(0, 4));
    if (number !== index + 1) throw new Error(`migration ${index + 1} is missing: found ${name}`);
    return { number, sql: readFileSync(new URL(name, folder), "utf8") };
  });
}
