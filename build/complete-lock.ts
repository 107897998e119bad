/**
 * Makes package-lock.json complete for every platform. Run by `npm run lock:complete` after each change of dependencies.
 *
 * npm drops an optional dependency from the lock when the registry it locks against does not know it yet (rarely requested
 * platform packages arrive late on mirrors), and `npm ci` then refuses the whole lock as out of step. So each optional
 * dependency without an entry gets one, derived from its name and its siblings. Such an entry carries no hash; a later
 * lock against a registry that has the package fills it in. `test/build/lock.test.ts` lists these entries by name.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type LockEntry, type LockPackages, locate } from "./lock.ts";

/**
 * Kept out of ordinary installs by a processor nobody has: 177 MB of download each for hosts whose NVIDIA driver stops at CUDA 12.
 * `npm install --no-save <name>@<version>` still adds one on purpose.
 */
export const notInstalledByDefault: readonly string[] = [
  "@node-llama-cpp/linux-x64-cuda-ext",
  "@node-llama-cpp/win-x64-cuda-ext",
];

const systems: Record<string, string> = {
  linux: "linux",
  mac: "darwin",
  darwin: "darwin",
  win: "win32",
  win32: "win32",
};
const processors: Record<string, string> = {
  x64: "x64",
  arm64: "arm64",
  armv7l: "arm",
  riscv64: "riscv64",
  ia32: "ia32",
  ppc64: "ppc64",
  s390x: "s390x",
};

/** `@node-llama-cpp/mac-arm64-metal` → darwin, arm64. Throws where the name does not say both. */
export function platformOf(name: string): { os: string; cpu: string } {
  const words = name.slice(name.lastIndexOf("/") + 1).split("-");
  const os = words.map((word) => systems[word]).find((word) => word !== undefined);
  const cpu = words.map((word) => processors[word]).find((word) => word !== undefined);
  if (os === undefined || cpu === undefined) {
    throw new Error(`The name ${name} does not say its system and processor: add its lock entry by hand.`);
  }
  return { os, cpu };
}

function derivedEntry(packages: LockPackages, parent: LockEntry, name: string, version: string): LockEntry {
  const { os, cpu } = platformOf(name);
  const siblings = Object.keys(parent.optionalDependencies ?? {}).map((other) => packages[`node_modules/${other}`]);
  const sibling = siblings.find((entry) => entry?.os?.includes(os)) ?? siblings.find((entry) => entry !== undefined);
  const libc = sibling?.os?.includes(os) ? sibling.libc : undefined;
  const license = sibling?.license ?? parent.license;
  return {
    version,
    cpu: [cpu],
    ...(parent.dev === true && { dev: true }),
    ...(libc !== undefined && { libc }),
    ...(license !== undefined && { license }),
    optional: true,
    os: [os],
    ...(sibling?.engines !== undefined && { engines: sibling.engines }),
  };
}

/** The completed packages (sorted as npm sorts them), and what was added and marked. The input is not changed. */
export function completed(packages: LockPackages): { packages: LockPackages; added: string[]; marked: string[] } {
  const all: LockPackages = { ...packages };
  const added: string[] = [];
  const marked: string[] = [];
  for (const [location, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (locate(packages, location, name) !== undefined) continue;
      if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
        throw new Error(`${name} is wanted as "${version}", not as one version: add its lock entry by hand.`);
      }
      all[`node_modules/${name}`] = derivedEntry(packages, entry, name, version);
      added.push(name);
    }
  }
  for (const name of notInstalledByDefault) {
    const entry = all[`node_modules/${name}`];
    if (entry === undefined || entry.cpu?.join() === "none") continue;
    all[`node_modules/${name}`] = { ...entry, cpu: ["none"] };
    marked.push(name);
  }
  const sorted = Object.entries(all).sort(([left], [right]) => left.localeCompare(right, "en"));
  return { packages: Object.fromEntries(sorted), added: added.sort(), marked };
}

if (import.meta.main) {
  const file = fileURLToPath(new URL("../package-lock.json", import.meta.url));
  const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: LockPackages };
  const result = completed(lock.packages);
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: result.packages }, null, 2)}\n`);
  for (const name of result.added) console.log(`added   ${name} (no hash: unknown to this registry when locked)`);
  for (const name of result.marked) console.log(`marked  ${name} (not installed by default)`);
  if (result.added.length + result.marked.length === 0) console.log("package-lock.json is complete already.");
}
