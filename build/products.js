// @ts-check
/**
 * What is made from the sources, and when it has to be made again. A product is fresh when the hash of all it is made from
 * equals the one written down after it was last made. Runs on a plain Node 20: `node:` imports only.
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ownNode, runQuietly } from "./child.js";

/**
 * @typedef {object} Product
 * @property {string} what              as people read it
 * @property {readonly string[]} from   folders and files it is made from, besides package-lock.json
 * @property {string} result            a file that exists once it is made
 * @property {string} stamp             where the hash is written down
 * @property {(root: string) => Promise<{ code: number, output: string }>} make
 */

/** @type {Readonly<Record<"renderer" | "server", Product>>} */
export const products = Object.freeze({
  renderer: {
    what: "the web page",
    from: ["renderer", "server/domain"],
    result: "dist/renderer/index.html",
    stamp: "dist/.renderer.stamp",
    make: (root) =>
      tool(root, "vite/bin/vite.js", [
        ...["build", "renderer", "--config", "renderer/vite.config.ts"],
        ...["--outDir", join(root, "dist", "renderer"), "--emptyOutDir", "--logLevel", "warn"],
      ]),
  },
  server: {
    what: "the compiled server",
    from: ["server", "models", "tsconfig.json", "build/tsconfig.dist.json"],
    result: "dist/server/cli/main.js",
    stamp: "dist/.server.stamp",
    make: makeServer,
  },
});

/** Runs a tool from node_modules under the project's Node. @param {string} root @param {string} script @param {string[]} args */
export function tool(root, script, args) {
  const node = ownNode(root) ?? process.execPath;
  return runQuietly(node, [join(root, "node_modules", script), ...args], { cwd: root });
}

/** @param {string} root */
async function makeServer(root) {
  for (const room of ["server", "models"]) rmSync(join(root, "dist", room), { recursive: true, force: true });
  const compiled = await tool(root, "typescript/bin/tsc", ["-p", "build/tsconfig.dist.json"]);
  if (compiled.code !== 0) return compiled;
  // Migrations and catalogs are data beside the code that reads them, so they move with it.
  for (const file of ["server", "models"].flatMap((room) => filesBelow(root, room))) {
    if (file.endsWith(".ts") || file.endsWith("tsconfig.json")) continue;
    mkdirSync(dirname(join(root, "dist", file)), { recursive: true });
    copyFileSync(join(root, file), join(root, "dist", file));
  }
  return compiled;
}

/** Paths of all files below a folder (or the file itself), from `root`, in a fixed order. @param {string} root @param {string} start @returns {string[]} */
export function filesBelow(root, start) {
  if (!existsSync(join(root, start))) return [];
  /** @type {string[]} */
  const files = [];
  for (const entry of readdirSync(join(root, start), { withFileTypes: true })) {
    const path = `${start}/${entry.name}`;
    if (entry.isDirectory() && entry.name !== "node_modules") files.push(...filesBelow(root, path));
    else if (entry.isFile()) files.push(path);
  }
  return files.sort();
}

/** Hash over names and contents of everything a product is made from. @param {string} root @param {Product} product */
export function fingerprint(root, product) {
  const hash = createHash("sha256");
  const files = product.from.flatMap((start) => (/\.\w+$/.test(start) ? [start] : filesBelow(root, start)));
  for (const file of ["package-lock.json", ...files]) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/**
 * Makes a product where it is not fresh. Resolves with false, after a sentence, where that failed.
 * @param {string} root
 * @param {"renderer" | "server"} name
 * @param {(line: string) => void} say
 */
export async function makeWhenStale(root, name, say) {
  const product = products[name];
  const stamp = join(root, product.stamp);
  const wanted = fingerprint(root, product);
  if (existsSync(join(root, product.result)) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted)
    return true;
  say(`Building ${product.what} (a few seconds).`);
  rmSync(stamp, { force: true });
  const made = await product.make(root);
  if (made.code !== 0 || !existsSync(join(root, product.result))) {
    say(made.output.trim());
    say(`Building ${product.what} failed with status ${made.code}; what it said stands above.`);
    return false;
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
  return true;
}
