/**
 * The clients in exact versions, in a cache folder of their own: `LANTHORN_CLIENTS_CACHE`, else the platform's folder for such things. No install
 * script of theirs runs. A folder belongs to one list of versions and is used again as long as that list does not change.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
import envPaths from "env-paths";

export interface Installed {
  /** The `node_modules` folder. */
  readonly folder: string;
  versionOf(packageName: string): Promise<string>;
  /** Imports a package as a program in that folder would. */
  load(specifier: string): Promise<unknown>;
}

const list = join(import.meta.dirname, "package.json");

export async function installClients(say: (line: string) => void): Promise<Installed> {
  const text = await readFile(list, "utf8");
  const root = process.env.LANTHORN_CLIENTS_CACHE ?? join(envPaths("lanthorn", { suffix: "" }).cache, "test-clients");
  const place = join(root, createHash("sha256").update(text).digest("hex").slice(0, 12));
  const done = join(place, "installed");
  if (!existsSync(done)) {
    const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
    const names = Object.entries(dependencies).map(([name, version]) => `${name} ${version}`);
    say(`Installing into ${place}: ${names.join(", ")}. About 1050 MB on disk.`);
    await rm(place, { recursive: true, force: true });
    await mkdir(place, { recursive: true });
    await copyFile(list, join(place, "package.json"));
    await npmInstall(place);
    say(`  done: ${Math.round((await bytesIn(join(place, "node_modules"))) / 1e6)} MB`);
    await writeFile(done, "");
  }
  const folder = join(place, "node_modules");
  const require = createRequire(join(place, "package.json"));
  return {
    folder,
    async versionOf(packageName) {
      const { version } = JSON.parse(await readFile(join(folder, packageName, "package.json"), "utf8"));
      return String(version);
    },
    load: (specifier) => import(pathToFileURL(require.resolve(specifier)).href),
  };
}

async function npmInstall(place: string): Promise<void> {
  // The npm that started us where there is one, so that it runs under the project's Node.
  const started = process.env.npm_execpath ?? "";
  const [command, first] = basename(started) === "npm-cli.js" ? [process.execPath, [started]] : ["npm", []];
  const args = ["install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
  const child = spawn(command, [...first, ...args], {
    cwd: place,
    // stdout is the table's.
    stdio: ["ignore", process.stderr.fd, process.stderr.fd],
    shell: first.length === 0 && process.platform === "win32",
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`npm install ended with ${String(code)}; what it said stands above`);
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name))),
  );
  return sizes.reduce((sum, { size }) => sum + size, 0);
}
