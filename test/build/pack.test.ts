/** What goes into a packed folder: what runs on that machine, and nothing else. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LockPackages } from "../../build/lock.ts";
import { isWanted, pack, runtimePackages } from "../../build/pack.ts";
import { filesBelow } from "../../build/products.js";
import { checkout, emptyTree } from "./tree.ts";

const { packages } = JSON.parse(readFileSync(join(checkout, "package-lock.json"), "utf8")) as {
  packages: LockPackages;
};
const linux = { platform: "linux", arch: "x64" };

describe("the packages", () => {
  test.each([
    [linux, ["linux-x64", "linux-x64-cuda", "linux-x64-vulkan"]],
    [{ platform: "linux", arch: "arm64" }, ["linux-arm64"]],
    [{ platform: "darwin", arch: "arm64" }, ["mac-arm64-metal"]],
    [{ platform: "win32", arch: "x64" }, ["win-x64", "win-x64-cuda", "win-x64-vulkan"]],
  ])("for %j have that machine's engines", (machine, engines) => {
    const names = runtimePackages(packages, machine).map((location) => location.replace("node_modules/", ""));
    const prefix = "@node-llama-cpp/";
    expect(names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))).toEqual(engines);
  });

  test("are all that the product asks for and what those ask for, and no development tool", () => {
    const manifest = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));
    const locations = runtimePackages(packages, linux);
    for (const name of Object.keys(manifest.dependencies)) expect(locations).toContain(`node_modules/${name}`);
    expect(locations).toContain("node_modules/body-parser");
    expect(locations.filter((location) => packages[location]?.dev)).toEqual([]);
    for (const name of ["typescript", "vite", "electron", "react", "node"]) {
      expect(locations).not.toContain(`node_modules/${name}`);
    }
  });
});

test.each([
  ["dist/server/main.js", true],
  ["dist/server/main.js.map", false],
  ["node_modules/zod/index.d.cts", false],
  ["node_modules/zod/LICENSE", true],
  ["node_modules/node-llama-cpp/llama/gitRelease.bundle", false],
  ["node_modules/better-sqlite3/prebuilds/linux-x64.node", true],
  ["node_modules/better-sqlite3/prebuilds/linuxmusl-x64.node", false],
  ["node_modules/better-sqlite3/prebuilds/win32-x64.node", false],
  ["node_modules/better-sqlite3/deps/sqlite3/sqlite3.c", false],
  ["node_modules/better-sqlite3/lib/database.js", true],
])("%s is taken along: %s", (file, wanted) => {
  expect(isWanted(file, linux)).toBe(wanted);
});

test("the folder is made anew each time and has licence, manifest, bin and Node", () => {
  const tree = emptyTree();
  tree.write("left-over.txt", "from an earlier version");
  pack(checkout, tree.root, process, true);
  const own = filesBelow(tree.root, ".").filter((file) => !file.startsWith("./dist/"));
  // How a bare box and a rented machine are set up: on Linux only.
  const setUp =
    process.platform === "linux"
      ? ["build/install.sh", ...filesBelow(checkout, "build/rental"), ...filesBelow(checkout, "build/systemd")]
      : [];
  expect(own).toEqual(
    ["LICENSE", "build/child.js", "build/lanthorn.js", "node/bin/node", "package.json", ...setUp]
      .map((file) => `./${file}`)
      .sort(),
  );
  const manifest = JSON.parse(readFileSync(join(tree.root, "package.json"), "utf8"));
  expect(manifest).toMatchObject({ name: "lanthorn", type: "module", license: "Apache-2.0" });
  expect(manifest).not.toHaveProperty("scripts");
});
