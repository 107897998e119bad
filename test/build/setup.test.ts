/** Setting up decides from facts, says in plain words what it does, and does nothing the second time. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Facts, decide, readFacts, setUp } from "../../build/setup.js";
import { checkout, emptyTree, type Tree } from "./tree.ts";

const wanted: Facts["wanted"] = {
  "": {},
  "node_modules/zod": { version: "4.6.7" },
  "node_modules/a/node_modules/b": { version: "1.0.0" },
  "node_modules/other-platform": { version: "1.0.0", optional: true },
};
const installed: Facts["installed"] = {
  "node_modules/zod": { version: "4.6.7" },
  "node_modules/a/node_modules/b": { version: "1.0.0" },
};
const complete: Facts = { wanted, installed, hasFolder: true, hasNode: true };

describe("what has to be done", () => {
  test.each<[string, Partial<Facts>, ReturnType<typeof decide>]>([
    ["all is there", {}, { step: "nothing", because: "everything is installed" }],
    ["a fresh clone", { hasFolder: false, installed: null }, { step: "packages", because: "nothing is installed yet" }],
    [
      "an interrupted npm ci",
      { installed: null },
      { step: "packages", because: "an earlier installation did not finish" },
    ],
    [
      "a package was added",
      { installed: { "node_modules/zod": { version: "4.6.7" } } },
      { step: "packages", because: "b is missing" },
    ],
    [
      "a package was moved to another version",
      { installed: { ...installed, "node_modules/zod": { version: "4.6.6" } } },
      { step: "packages", because: "package-lock.json has changed (zod)" },
    ],
    [
      "a package was removed",
      { installed: { ...installed, "node_modules/@old/one": { version: "1.0.0" } } },
      { step: "packages", because: "package-lock.json has changed (@old/one)" },
    ],
    ["install scripts were off", { hasNode: false }, { step: "node", because: "the project's own Node is missing" }],
  ])("%s", (_case, facts, decision) => {
    expect(decide({ ...complete, ...facts })).toEqual(decision);
  });

  test("the checkout that runs this test needs nothing", () => {
    expect(decide(readFacts(checkout))).toEqual({ step: "nothing", because: "everything is installed" });
  });
});

describe("doing it", () => {
  afterEach(() => vi.unstubAllEnvs());

  /** A checkout and an npm that only notes what it was asked for. */
  function withNpm(body: string): Tree {
    const tree = emptyTree();
    tree.write("package-lock.json", JSON.stringify({ packages: wanted }));
    tree.write(
      "npm/npm-cli.js",
      `const { mkdirSync, writeFileSync, appendFileSync } = require("node:fs");
       const [what] = process.argv.slice(2);
       appendFileSync("asked.txt", process.argv.slice(2, 4).join(" ") + "\\n");
       ${body}`,
    );
    vi.stubEnv("npm_execpath", join(tree.root, "npm/npm-cli.js"));
    return tree;
  }

  const working = `
    if (what === "ci") {
      mkdirSync("node_modules");
      writeFileSync("node_modules/.package-lock.json", ${JSON.stringify(JSON.stringify({ packages: installed }))});
    } else {
      mkdirSync("node_modules/node/bin", { recursive: true });
      writeFileSync("node_modules/node/bin/node", "");
    }`;

  test("a first run says what it does and how long it takes; a second says nothing", async () => {
    const tree = withNpm(working);
    const lines: string[] = [];
    expect(await setUp(tree.root, (line) => lines.push(line))).toBe(true);
    expect(lines).toEqual([
      expect.stringMatching(/^Setting up: nothing is installed yet\. Downloading .* MB.* minute/),
      expect.stringMatching(/^ {2}done in \d+ s$/),
      "Setting up: fetching the project's own Node 24 (50 MB).",
      expect.stringMatching(/^ {2}done in \d+ s$/),
    ]);
    lines.length = 0;
    expect(await setUp(tree.root, (line) => lines.push(line))).toBe(true);
    expect(lines).toEqual([]);
  });

  test("the Node that runs this may go with the packages: the one that npm runs under is taken then", async () => {
    const tree = withNpm(
      working.replace('if (what === "ci") {', 'if (what === "ci") { require("node:fs").rmSync("own-node");'),
    );
    const real = process.execPath;
    vi.stubEnv("npm_node_execpath", real);
    tree.write("own-node", `#!/bin/sh\nexec "${real}" "$@"\n`);
    chmodSync(join(tree.root, "own-node"), 0o755);
    process.execPath = join(tree.root, "own-node");
    try {
      expect(await setUp(tree.root, () => {})).toBe(true);
    } finally {
      process.execPath = real;
    }
  });

  test("when npm fails its own words are shown, then ours", async () => {
    const tree = withNpm(`console.error("npm error network unreachable"); process.exit(1);`);
    const lines: string[] = [];
    expect(await setUp(tree.root, (line) => lines.push(line))).toBe(false);
    expect(lines.slice(1)).toEqual([
      "npm error network unreachable",
      "Setting up failed: `npm ci --ignore-scripts` ended with status 1; what it said stands above.",
    ]);
  });

  test("a system that the package `node` does not know gets a sentence", async () => {
    const tree = withNpm(working.replace("node_modules/node/bin/node", "node_modules/node/bin/none"));
    const lines: string[] = [];
    expect(await setUp(tree.root, (line) => lines.push(line))).toBe(false);
    expect(lines.at(-1)).toBe(
      "Setting up failed: npm package `node` did not bring a Node for this system. Install Node 24 and try again.",
    );
  });
});
