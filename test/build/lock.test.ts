/** The lock file installs on every platform, and what it does not secure is known by name. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { completed, notInstalledByDefault, platformOf } from "../../build/complete-lock.ts";
import { type LockPackages, locate } from "../../build/lock.ts";
import { checkout } from "./tree.ts";

test("tests run under the project's own Node", () => {
  expect(process.versions.node).toBe("24.21.0");
});

const { packages } = JSON.parse(readFileSync(join(checkout, "package-lock.json"), "utf8")) as {
  packages: LockPackages;
};
const manifest = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));

describe("package-lock.json", () => {
  test("has a hash for every package but these, which the registry did not know when it was locked", () => {
    const unsecured = Object.entries(packages).filter(([path, entry]) => path !== "" && entry.integrity === undefined);
    expect(unsecured.map(([path]) => path)).toEqual([
      "node_modules/@node-llama-cpp/linux-riscv64",
      "node_modules/@node-llama-cpp/mac-arm64-metal",
      "node_modules/@node-llama-cpp/mac-x64",
      "node_modules/@node-llama-cpp/win-arm64",
      "node_modules/@node-llama-cpp/win-x64",
      "node_modules/@node-llama-cpp/win-x64-cuda",
      "node_modules/@node-llama-cpp/win-x64-cuda-ext",
      "node_modules/@node-llama-cpp/win-x64-vulkan",
    ]);
  });

  test("names no download address, so that each installation asks its own registry", () => {
    expect(Object.values(packages).filter((entry) => entry.resolved !== undefined)).toEqual([]);
  });

  test("has every optional package of every package, for all platforms", () => {
    for (const [location, entry] of Object.entries(packages)) {
      for (const name of Object.keys(entry.optionalDependencies ?? {})) {
        expect(locate(packages, location, name), `${name} of ${location}`).toBeDefined();
      }
    }
    expect(Object.keys(packages["node_modules/node-llama-cpp"]?.optionalDependencies ?? {})).toHaveLength(14);
    expect(completed(packages)).toEqual({ packages, added: [], marked: [] });
  });

  test("keeps the CUDA 12 libraries out of ordinary installs", () => {
    expect(notInstalledByDefault.map((name) => packages[`node_modules/${name}`]?.cpu)).toEqual([["none"], ["none"]]);
  });

  test("agrees with package.json, which asks for exact versions", () => {
    const asked: Record<string, string> = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const [name, version] of Object.entries(asked)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
    const { name, version, engines, dependencies, devDependencies } = manifest;
    expect(packages[""]).toMatchObject({ name, version, engines, dependencies, devDependencies });
  });

  test("docs/dependencies.md says why each dependency is here", () => {
    const page = readFileSync(join(checkout, "docs/dependencies.md"), "utf8");
    const asked = Object.entries<string>({ ...manifest.dependencies, ...manifest.devDependencies });
    const unexplained = asked.filter(([name, version]) => !page.includes(`\`${name}\` ${version}`));
    expect(unexplained).toEqual([]);
  });
});

describe("completing a lock", () => {
  const parent = {
    version: "1.0.0",
    license: "MIT",
    optionalDependencies: { "@x/linux-x64": "1.0.0", "@x/mac-arm64": "1.0.0" },
  };
  const known = { version: "1.0.0", os: ["linux"], cpu: ["x64"], libc: ["glibc"], license: "MIT", optional: true };

  test("adds what is missing from its name and its siblings, in order, and once", () => {
    const before: LockPackages = {
      "": {},
      "node_modules/@x/linux-x64": known,
      "node_modules/x": { ...parent, dev: true },
    };
    const after = completed(before);
    expect(after.added).toEqual(["@x/mac-arm64"]);
    expect(Object.keys(after.packages)).toEqual([
      "",
      "node_modules/@x/linux-x64",
      "node_modules/@x/mac-arm64",
      "node_modules/x",
    ]);
    expect(after.packages["node_modules/@x/mac-arm64"]).toEqual({
      version: "1.0.0",
      cpu: ["arm64"],
      dev: true,
      license: "MIT",
      optional: true,
      os: ["darwin"],
    });
    expect(completed(after.packages).added).toEqual([]);
  });

  test("finds a package that stands inside the one that wants it", () => {
    const nested: LockPackages = {
      "": {},
      "node_modules/x": { optionalDependencies: { y: "1.0.0" } },
      "node_modules/x/node_modules/y": {},
    };
    expect(completed(nested).added).toEqual([]);
  });

  test("does not guess", () => {
    expect(() => platformOf("fsevents")).toThrow("add its lock entry by hand");
    const ranged: LockPackages = { "": {}, "node_modules/x": { optionalDependencies: { "@x/win-x64": "^1.0.0" } } };
    expect(() => completed(ranged)).toThrow('wanted as "^1.0.0"');
  });
});
