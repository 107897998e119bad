/**
 * `npm run sbom`: out/sbom.cdx.json, a CycloneDX list of everything that ships, for all platforms, read from the lock, with
 * its hashes and those of the native files as they lie here. Not made by `npm sbom`: that of npm 11.19 leaves out packages
 * that a development tool wants as well (zod, undici, yaml), and calls the project after its folder.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LockEntry, type LockPackages, locate } from "./lock.ts";
import { type NativeRecord, recordFile } from "./native-files.ts";
import { runtimePackages } from "./pack.ts";

interface Hash {
  readonly alg: "SHA-512" | "SHA-256";
  readonly content: string;
}

interface Component {
  readonly type: "library" | "file" | "application";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly licenses?: readonly { readonly license: { readonly name: string } }[];
  readonly hashes?: readonly Hash[];
}

export interface Bill {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.5";
  readonly version: 1;
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** `@scope/name/bins/x.node` → `@scope/name`; of packages within packages the innermost. */
export function packageOf(path: string): string {
  const at = path.lastIndexOf("node_modules/");
  const inner = at === -1 ? path : path.slice(at + "node_modules/".length);
  const [first = "", second = ""] = inner.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

function hashesOf(entry: LockEntry): readonly Hash[] {
  const base64 = /^sha512-(.+)$/.exec(entry.integrity ?? "")?.[1];
  return base64 === undefined ? [] : [{ alg: "SHA-512", content: Buffer.from(base64, "base64").toString("hex") }];
}

function componentOf(location: string, entry: LockEntry): Component {
  const name = packageOf(location);
  const version = entry.version ?? "";
  return {
    type: "library",
    "bom-ref": location,
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    ...(entry.license === undefined ? {} : { licenses: [{ license: { name: entry.license } }] }),
    hashes: hashesOf(entry),
  };
}

/** `nowMs`: epoch milliseconds. Pure but for the serial number. */
export function billOf(packages: LockPackages, native: NativeRecord, nowMs: number): Bill {
  const shipped = runtimePackages(packages, null).map((location) => [location, packages[location] ?? {}] as const);
  const places = new Set(shipped.map(([location]) => location));
  const inPackages = Object.entries(native.files).filter(([path]) => {
    const name = packageOf(path);
    const owner = `node_modules/${path.slice(0, path.lastIndexOf(name) + name.length)}`;
    return places.has(owner);
  });
  const root = packages[""];
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    serialNumber: `urn:uuid:${randomUUID()}`,
    metadata: {
      timestamp: new Date(nowMs).toISOString(),
      component: { type: "application", "bom-ref": "lanthorn", name: "lanthorn", version: root?.version ?? "" },
    },
    components: [
      ...shipped.map(([location, entry]) => componentOf(location, entry)),
      ...inPackages.map(
        ([path, content]): Component => ({
          type: "file",
          "bom-ref": path,
          name: path,
          hashes: [{ alg: "SHA-256", content }],
        }),
      ),
    ],
    dependencies: [["", root ?? {}] as const, ...shipped].map(([location, entry]) => ({
      ref: location === "" ? "lanthorn" : location,
      dependsOn: Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
        .map((name) => locate(packages, location, name))
        .filter((place) => place !== undefined),
    })),
  };
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as { packages: LockPackages };
  const list = billOf(packages, JSON.parse(readFileSync(recordFile, "utf8")) as NativeRecord, Date.now());
  mkdirSync(join(root, "out"), { recursive: true });
  writeFileSync(join(root, "out/sbom.cdx.json"), `${JSON.stringify(list, null, 2)}\n`);
  console.log(`out/sbom.cdx.json lists ${list.components.length} components.`);
}
