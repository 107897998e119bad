/**
 * `npm run sbom`: out/sbom.cdx.json, a CycloneDX list of everything that ships, for all platforms, with the hashes of the
 * lock and those of the native files as they lie here. npm writes the list; what it does not know is added.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type NativeRecord, recordFile } from "./native-files.ts";

const bill = z.looseObject({
  bomFormat: z.literal("CycloneDX"),
  metadata: z.looseObject({ component: z.looseObject({ name: z.string(), version: z.string() }) }),
  components: z.array(z.looseObject({ name: z.string(), version: z.string().optional() })),
});
export type Bill = z.infer<typeof bill>;

/** npm calls the project after its folder. `shipped`: names of the packages in the list, whose native files belong to it. */
export function completed(written: unknown, projectName: string, native: NativeRecord): Bill {
  const list = bill.parse(written);
  const shipped = new Set(list.components.map(({ name }) => name));
  const files = Object.entries(native.files).filter(([path]) => shipped.has(packageOf(path)));
  return {
    ...list,
    metadata: { ...list.metadata, component: { ...list.metadata.component, name: projectName } },
    components: [
      ...list.components,
      ...files.map(([path, sha256]) => ({
        type: "file",
        name: path,
        hashes: [{ alg: "SHA-256", content: sha256 }],
        properties: [{ name: "lanthorn:package", value: packageOf(path) }],
      })),
    ],
  };
}

/** `@scope/name/bins/x.node` → `@scope/name`; of packages within packages the innermost. */
export function packageOf(path: string): string {
  const at = path.lastIndexOf("node_modules/");
  const inner = at === -1 ? path : path.slice(at + "node_modules/".length);
  const [first = "", second = ""] = inner.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/** Asks npm; the lock alone is read, so it is the same list on every machine. */
export function makeSbom(root: string): Bill {
  const args = ["sbom", "--omit=dev", "--sbom-format=cyclonedx", "--sbom-type=application", "--package-lock-only"];
  const written = execFileSync("npm", args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === "win32",
  });
  const { name } = z.object({ name: z.string() }).parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  return completed(JSON.parse(written), name, JSON.parse(readFileSync(recordFile, "utf8")) as NativeRecord);
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const list = makeSbom(root);
  mkdirSync(join(root, "out"), { recursive: true });
  writeFileSync(join(root, "out/sbom.cdx.json"), `${JSON.stringify(list, null, 2)}\n`);
  console.log(`out/sbom.cdx.json lists ${list.components.length} components.`);
}
