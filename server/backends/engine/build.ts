/** Which build of the engine serves, for `/version`. Read from the library's own package; nothing native is loaded. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import { z } from "zod";

const packageFile = z.object({ name: z.string(), version: z.string() });
const sourceFile = z.object({ tag: z.string() }).partial();

/** `node-llama-cpp 3.22.1 (llama.cpp v0.5.0)`. */
export function engineBuild(): string {
  const folder = join(dirname(createRequire(import.meta.url).resolve("node-llama-cpp")), "..");
  const library = packageFile.parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
  const source = readJson(join(folder, "llama", "llama.cpp.info.json"));
  const { tag } = sourceFile.catch({}).parse(source);
  return `${library.name} ${library.version}${tag === undefined ? "" : ` (llama.cpp ${tag})`}`;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
