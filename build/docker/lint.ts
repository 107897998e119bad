/** Holds `build/docker/Dockerfile` against the rules. Part of `npm run check`; ends with status 1 on a finding. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../prepare.js";
import { parseDockerfile } from "./dockerfile.ts";
import { type Finding, findingsIn, type Surroundings } from "./rules.ts";

export const dockerfilePath = "build/docker/Dockerfile";

/** What the rules may know of the checkout at `top`. */
export function surroundingsOf(top: string): Surroundings {
  const manifest = JSON.parse(readFileSync(join(top, "package.json"), "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  // The file beside the Dockerfile leaves everything out and lets some paths back in: nothing else is understood here.
  const [first, ...back] = readFileSync(join(top, `${dockerfilePath}.dockerignore`), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (first !== "*" || !back.every((line) => /^![\w./-]+$/.test(line)))
    throw new Error("The .dockerignore is not understood.");
  const sent = back.map((line) => line.slice(1));
  return {
    versions: { ...manifest.dependencies, ...manifest.devDependencies, lanthorn: manifest.version },
    has: (path) =>
      existsSync(join(top, path)) && sent.some((allowed) => path === allowed || path.startsWith(`${allowed}/`)),
    read: (path) => (existsSync(join(top, path)) ? readFileSync(join(top, path), "utf8") : ""),
  };
}

/** Findings in a Dockerfile's text, as if it stood in the checkout at `top`. Throws at what is not understood. */
export function lint(text: string, top: string): readonly Finding[] {
  return findingsIn(parseDockerfile(text), surroundingsOf(top));
}

if (import.meta.main) {
  const findings = lint(readFileSync(join(root, dockerfilePath), "utf8"), root);
  for (const { line, rule, message } of findings) console.error(`${dockerfilePath}:${line}: ${message} (${rule})`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
