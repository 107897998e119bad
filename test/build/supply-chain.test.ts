/** S-40: what is installed is what was reviewed: scripts, hashes, binaries, and the list of what ships. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LockPackages } from "../../build/lock.ts";
import { type NativeRecord, recordFile, recordOf, thisPlatform } from "../../build/native-files.ts";
import { billOf, packageOf } from "../../build/sbom.ts";
import { checkout } from "./tree.ts";

const read = (path: string): unknown => JSON.parse(readFileSync(join(checkout, path), "utf8"));
const { packages } = read("package-lock.json") as { packages: LockPackages };
const manifest = read("package.json") as {
  allowScripts: Record<string, boolean>;
  dependencies: Record<string, string>;
};

describe("S-40 install scripts", () => {
  test("every package that has one is named, and only node may run it", () => {
    const scripted = Object.entries(packages)
      .filter(([, entry]) => Reflect.get(entry, "hasInstallScript") === true)
      .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length));
    // fsevents has one in its own lock entry and is only ever installed on macOS.
    expect(
      [...new Set(scripted)].filter((name) => manifest.allowScripts[name] === undefined && name !== "fsevents"),
    ).toEqual([]);
    expect(Object.entries(manifest.allowScripts).filter(([, allowed]) => allowed)).toEqual([["node", true]]);
  });
});

describe("S-40 the lock", () => {
  test("has strong hashes only, and nothing but packages of a registry by exact version", () => {
    for (const [path, entry] of Object.entries(packages)) {
      if (path === "") continue;
      expect(entry.version, path).toMatch(/^\d+\.\d+\.\d+/);
      if (entry.integrity !== undefined) expect(entry.integrity, path).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
      expect(
        Object.keys(entry).filter((key) => ["link", "inBundle", "from"].includes(key)),
        path,
      ).toEqual([]);
    }
  });
});

const record = read("build/native-files.json") as NativeRecord;

describe("S-40 native files", () => {
  test.skipIf(record.platform !== thisPlatform)("are those that were recorded, to the byte", async () => {
    expect(recordFile).toContain("native-files.json");
    expect((await recordOf(join(checkout, "node_modules"))).files).toEqual(record.files);
  });

  test("the record has the engine, the ledger's library and Node itself", () => {
    const paths = Object.keys(record.files);
    for (const part of ["node/bin/node", "linux-x64/bins/linux-x64/llama-addon.node", "prebuilds/linux-x64.node"]) {
      expect(
        paths.filter((path) => path.includes(part)),
        part,
      ).not.toEqual([]);
    }
  });
});

describe("S-40 the list of what ships", () => {
  const list = billOf(packages, record, Date.UTC(2026, 10, 26));

  test("has every run-time dependency with its version, the engine's libraries with their hashes, and no tool", () => {
    const names = new Set(list.components.map(({ name }) => name));
    const shipped = new Set(list.components.map(({ name, version }) => `${name}@${version}`));
    const asked = Object.entries(manifest.dependencies).map(([name, version]) => `${name}@${version}`);
    expect(asked.filter((one) => !shipped.has(one))).toEqual([]);
    const libraries = list.components.filter(({ name }) => name.includes("libllama"));
    expect(libraries.length).toBeGreaterThan(0);
    for (const library of libraries) expect(library).toMatchObject({ type: "file", hashes: [{ alg: "SHA-256" }] });
    for (const tool of ["vitest", "electron", "typescript", "openai"]) expect(names.has(tool), tool).toBe(false);
    // The lock's own hash, in the notation of the list.
    const zod = list.components.find(({ name }) => name === "zod");
    expect(zod?.purl).toMatch(/^pkg:npm\/zod@\d/);
    expect(zod?.hashes).toEqual([{ alg: "SHA-512", content: expect.stringMatching(/^[0-9a-f]{128}$/) }]);
  });

  test("names each place once, and every reference leads somewhere", () => {
    const places = list.components.map((component) => component["bom-ref"]);
    expect(new Set(places).size).toBe(places.length);
    const known = new Set(["lanthorn", ...places]);
    const asked = list.dependencies.filter(({ ref }) => ref !== "lanthorn");
    expect(asked.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !known.has(ref))).toEqual([]);
  });

  test("native files of what does not ship are left out", () => {
    const lock: LockPackages = {
      "": { version: "1.0.0", dependencies: { "@a/b": "1.0.0" }, devDependencies: { tool: "1.0.0" } },
      "node_modules/@a/b": { version: "1.0.0" },
      "node_modules/tool": { version: "1.0.0", dev: true },
      "node_modules/tool/node_modules/@a/b": { version: "2.0.0", dev: true },
    };
    const files = { "@a/b/bins/x.node": "1", "tool/y.node": "2", "tool/node_modules/@a/b/z.so": "3" };
    const { components } = billOf(lock, { platform: "x", files }, 0);
    expect(components.map(({ name }) => name)).toEqual(["@a/b", "@a/b/bins/x.node"]);
    expect(packageOf("tool/y.node")).toBe("tool");
  });
});
