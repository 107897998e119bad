/**
 * `npm run check`: format and lint, types of each world, layers, shell scripts, Dockerfile; all at once, one line each. A step that fails shows what it
 * wrote. Ends with status 1 where one did.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./prepare.js";
import { runQuietly } from "./child.js";

interface Step {
  readonly name: string;
  /** A script from node_modules or from the checkout, and its arguments. */
  readonly command: readonly string[];
}

/** Each world has its own types: the domain knows neither Node nor the browser, the page does not know Node. */
const worlds = ["server/domain", "renderer", "electron"].filter((world) =>
  existsSync(join(root, world, "tsconfig.json")),
);

const tsc = "node_modules/typescript/bin/tsc";
const steps: readonly Step[] = [
  { name: "format and lint", command: ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings"] },
  { name: "types of the server, build and tests", command: [tsc, "-p", "tsconfig.json"] },
  ...worlds.map((world) => ({ name: `types of ${world}`, command: [tsc, "--noEmit", "-p", world] })),
  { name: "layers", command: ["build/check-layers.ts"] },
  { name: "shell scripts", command: ["build/check-shell.ts"] },
  { name: "Dockerfile", command: ["build/docker/lint.ts"] },
];

const results = await Promise.all(
  steps.map(async ({ name, command }) => {
    const startedMs = performance.now();
    const { code, output } = await runQuietly(process.execPath, command, { cwd: root });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    console.log(
      `${code === 0 ? "ok    " : "FAILED"}  ${name} (${seconds} s)${code === 0 ? "" : `\n${output.trimEnd()}`}`,
    );
    return code;
  }),
);
process.exitCode = results.every((code) => code === 0) ? 0 : 1;
