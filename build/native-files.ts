/**
 * Every file of node_modules that the processor runs as it is: libraries, addons and programs, with its SHA-256. The lock
 * file vouches for what was downloaded; this record vouches for what lies there, and for the two things the lock cannot:
 * the binary of `node`, which an install script fetches, and packages that were locked without a hash.
 *
 * `npm run native:record` writes the record after a change of dependencies; `test/build/supply-chain.test.ts` compares.
 */
import { createHash } from "node:crypto";
import { closeSync, createReadStream, globSync, openSync, readSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

export interface NativeRecord {
  /** `linux-x64`: which installation it describes. */
  readonly platform: string;
  /** Path below node_modules, with `/` → SHA-256 in hexadecimal. */
  readonly files: Readonly<Record<string, string>>;
}

export const recordFile = fileURLToPath(new URL("native-files.json", import.meta.url));
export const thisPlatform = `${process.platform}-${process.arch}`;

/** ELF, Mach-O (either width, either order, and several in one) and Windows. */
const beginnings = ["7f454c46", "feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "4d5a"];
const libraryName = /\.(node|dll|dylib|so(\.[\d.]+)?|exe|wasm)$/;

function beginsLikeCode(path: string): boolean {
  const start = Buffer.alloc(4);
  const file = openSync(path, "r");
  try {
    readSync(file, start, 0, 4, 0);
  } finally {
    closeSync(file);
  }
  const text = start.toString("hex");
  return beginnings.some((beginning) => text.startsWith(beginning));
}

/**
 * Made or fetched after the installation: caches, the program of `electron`, which checks its own download, and the second
 * name that npm may leave of Node's binary.
 */
const notInstalled: ReadonlySet<string> = new Set([".cache", ".vite", "electron/dist", "node/node_modules"]);

/** Paths below `modules`. A name without an ending may be a program, so its first bytes are looked at. */
export function nativeFiles(modules: string): string[] {
  const isLeftOut = ({ name, parentPath }: { name: string; parentPath: string }) =>
    notInstalled.has(name) || notInstalled.has(`${basename(parentPath)}/${name}`);
  const entries = globSync("**/*", { cwd: modules, withFileTypes: true, exclude: isLeftOut });
  return entries
    .filter((entry) => entry.isFile())
    .filter(({ name, parentPath }) => {
      if (libraryName.test(name)) return true;
      return !name.includes(".") && beginsLikeCode(join(parentPath, name));
    })
    .map(({ name, parentPath }) =>
      join(parentPath, name)
        .slice(modules.length + 1)
        .replaceAll("\\", "/"),
    )
    .sort();
}

export async function recordOf(modules: string): Promise<NativeRecord> {
  const files: Record<string, string> = {};
  for (const path of nativeFiles(modules)) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(modules, path)), hash);
    files[path] = hash.digest("hex");
  }
  return { platform: thisPlatform, files };
}

if (import.meta.main) {
  const record = await recordOf(fileURLToPath(new URL("../node_modules", import.meta.url)));
  writeFileSync(recordFile, `${JSON.stringify(record, null, 2)}\n`);
  console.log(`${Object.keys(record.files).length} files of ${record.platform} are in build/native-files.json.`);
}
