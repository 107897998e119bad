/** What is built is built again when, and only when, something it is made from has changed. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fingerprint, makeWhenStale, products } from "../../build/products.js";
import { emptyTree } from "./tree.ts";

test("the compiled server: made once, with its data files; again after a change; without what is gone", async () => {
  const tree = emptyTree();
  tree.take("package.json", "package-lock.json", "tsconfig.json", "build/tsconfig.dist.json");
  tree.lendModules();
  tree.write("server/cli/main.ts", `import { one } from "../one.ts";\nexport const run = (): number => one;\n`);
  tree.write("server/one.ts", "export const one: number = 1;\n");
  tree.write("server/ledger/migrations/0001.sql", "create table a (b) strict;\n");
  tree.write("models/catalog.json", "[]\n");
  const said: string[] = [];
  const make = () => makeWhenStale(tree.root, "server", (line) => said.push(line));
  const made = (path: string) => join(tree.root, "dist", path);

  expect(await make()).toBe(true);
  expect(readFileSync(made("server/cli/main.js"), "utf8")).toContain(`from "../one.js"`);
  expect(existsSync(made("server/ledger/migrations/0001.sql"))).toBe(true);
  expect(existsSync(made("models/catalog.json"))).toBe(true);
  expect(await make()).toBe(true);
  expect(said).toEqual(["Building the compiled server (a few seconds)."]);

  tree.write("server/cli/main.ts", "export const run = (): number => 2;\n");
  rmSync(join(tree.root, "server/one.ts"));
  expect(await make()).toBe(true);
  expect(said).toHaveLength(2);
  expect(readFileSync(made("server/cli/main.js"), "utf8")).toContain("=> 2");
  expect(existsSync(made("server/one.js"))).toBe(false);
});

test("a build that fails says so, and is tried again the next time", async () => {
  const tree = emptyTree();
  tree.take("package.json", "package-lock.json", "tsconfig.json", "build/tsconfig.dist.json");
  tree.lendModules();
  tree.write("server/cli/main.ts", "export const run = (: number => 1;\n");
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const said: string[] = [];
    expect(await makeWhenStale(tree.root, "server", (line) => said.push(line))).toBe(false);
    expect(said[1]).toContain("server/cli/main.ts(1,");
    expect(said[2]).toMatch(/^Building the compiled server failed with status \d/);
  }
});

test("the web page is made from renderer/, the domain and the locked tools, and from nothing else", () => {
  const tree = emptyTree();
  tree.write("package-lock.json", "{}");
  tree.write("renderer/main.tsx", "1");
  tree.write("server/domain/usage.ts", "1");
  const prints = [fingerprint(tree.root, products.renderer)];
  for (const file of ["renderer/main.tsx", "server/domain/usage.ts", "package-lock.json", "renderer/new.css"]) {
    tree.write(file, "2");
    prints.push(fingerprint(tree.root, products.renderer));
  }
  expect(new Set(prints).size).toBe(5);
  tree.write("server/http/app.ts", "2");
  expect(fingerprint(tree.root, products.renderer)).toBe(prints[4]);
});
