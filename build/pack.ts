/**
 * `npm run pack`: makes out/lanthorn, a folder that runs anywhere on this kind of system with no sources, no npm and no Node of its
 * own: what the desktop package, the systemd unit and the container image carry.
 *
 *   out/lanthorn/node/bin/node out/lanthorn/build/lanthorn.js serve
 *
 * `--to <folder>` puts it elsewhere; `--link` makes hard links in place of copies (quick, for a look or a test: a change of such a
 * file changes the original).
 */
import { constants, copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ownNode } from "./child.js";
import { notInstalledByDefault } from "./complete-lock.ts";
import { type LockEntry, type LockPackages, locate } from "./lock.ts";
import { prepare, root } from "./prepare.js";
import { filesBelow } from "./products.js";

/** The kind of machine a package is made for, in Node's words. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
}

/** Engine builds declare more processors than they are for, so that packages can be made across: the name decides. */
function suits(location: string, entry: LockEntry, { platform, arch }: Machine): boolean {
  const system = platform === "darwin" ? "mac" : platform === "win32" ? "win" : platform;
  const engine = /node_modules\/@node-llama-cpp\/(.+)$/.exec(location)?.[1];
  if (engine !== undefined && !`${engine}-`.startsWith(`${system}-${arch}-`)) return false;
  return (entry.os?.includes(platform) ?? true) && (entry.cpu?.includes(arch) ?? true);
}

/** Locations of all packages the product needs at run time on that machine, or (null) on any, by the lock. */
export function runtimePackages(packages: LockPackages, machine: Machine | null): string[] {
  const needed = new Set<string>();
  const visit = (location: string, entry: LockEntry) => {
    const names = { ...entry.dependencies, ...entry.optionalDependencies };
    for (const name of Object.keys(names)) {
      const found = locate(packages, location, name);
      const foundEntry = found === undefined ? undefined : packages[found];
      if (found === undefined || foundEntry === undefined || needed.has(found)) continue;
      if (machine !== null && !suits(found, foundEntry, machine)) continue;
      needed.add(found);
      visit(found, foundEntry);
    }
  };
  visit("", packages[""] ?? {});
  return [...needed].sort();
}

/** Packages that no ordinary install brings: where one lies there, somebody put it there on purpose (CUDA 12), for that machine. */
function addedPackages(from: string, machine: Machine): readonly string[] {
  const locations = notInstalledByDefault.map((name) => `node_modules/${name}`);
  return locations.filter((location) => suits(location, {}, machine) && existsSync(join(from, location)));
}

/** What a bare box and a rented machine are set up with, from the packed folder itself. */
const setUpFiles = (from: string, { platform }: Machine) =>
  platform === "linux"
    ? ["build/install.sh", ...filesBelow(from, "build/rental"), ...filesBelow(from, "build/systemd")]
    : [];

/** False for what is never read at run time: types, maps, other systems' builds and the sources of native parts. */
export function isWanted(file: string, { platform, arch }: Machine): boolean {
  if (/\.(map|d\.[cm]?ts|tsbuildinfo)$/.test(file)) return false;
  if (file.startsWith("node_modules/node-llama-cpp/llama/gitRelease.bundle")) return false;
  const sqlite = /^node_modules\/better-sqlite3\/(.+)$/.exec(file)?.[1];
  if (sqlite === undefined) return true;
  if (sqlite.startsWith("prebuilds/")) return sqlite === `prebuilds/${platform}-${arch}.node`;
  return !/^(deps|src)\/|^binding\.gyp$/.test(sqlite);
}

/** Makes the folder `target` anew from the checkout at `from`, whose dist/ must be fresh. Returns how many files it has. */
export function pack(from: string, target: string, machine: Machine, link: boolean): number {
  const node = ownNode(from);
  if (node === null) throw new Error("The project's own Node is not installed: run `npm start` or `npm ci` first.");
  const put = (source: string, path: string) => {
    const place = join(target, path);
    mkdirSync(dirname(place), { recursive: true });
    if (!link || !linked(source, place)) copyFileSync(source, place, constants.COPYFILE_FICLONE);
  };
  const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8")) as Record<string, unknown>;
  const lock = JSON.parse(readFileSync(join(from, "package-lock.json"), "utf8")) as { packages: LockPackages };
  const parts = runtimePackages(lock.packages, machine).filter((location) => existsSync(join(from, location)));
  parts.push(...addedPackages(from, machine));
  const files = [
    ...["LICENSE", "build/lanthorn.js", "build/child.js", ...setUpFiles(from, machine)],
    ...["dist/server", "dist/models", "dist/renderer", ...parts].flatMap((folder) => filesBelow(from, folder)),
  ].filter((file) => existsSync(join(from, file)) && isWanted(file, machine));

  rmSync(target, { recursive: true, force: true });
  for (const file of files) put(join(from, file), file);
  put(node, `node/bin/${platformNode(machine)}`);
  const { name, version, description, license, type, bin } = manifest;
  writeFileSync(
    join(target, "package.json"),
    `${JSON.stringify({ name, version, description, license, type, bin }, null, 2)}\n`,
  );
  return files.length + 2;
}

/** False where the two places are on different disks. */
function linked(source: string, place: string): boolean {
  try {
    linkSync(source, place);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EXDEV") return false;
    throw error;
  }
}

const platformNode = ({ platform }: Machine) => (platform === "win32" ? "node.exe" : "node");

if (import.meta.main) {
  const { values } = parseArgs({ options: { to: { type: "string" }, link: { type: "boolean", default: false } } });
  const target = resolve(values.to ?? join(root, "out", "lanthorn"));
  await prepare("server", "renderer");
  const count = pack(root, target, process, values.link);
  console.log(`${target}: ${count} files. Start it with:\n  ${target}/node/bin/node ${target}/build/lanthorn.js serve`);
}
