/**
 * `npm run dockerfile:check`: holds the Dockerfile against its rules, carries out the steps of a variant in a clean folder, looks at what
 * would ship, starts it and uses it, on the CPU. Takes minutes: it installs everything twice, as a builder would. It is no image and
 * claims none.
 *
 *   npm run dockerfile:check -- --variant cuda12     another than `cpu`
 *   npm run dockerfile:check -- --keep               leaves the folder, and says where
 */
import { chmodSync, lstatSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { ownNode } from "../child.js";
import type { LockPackages } from "../lock.ts";
import { runtimePackages } from "../pack.ts";
import { root, say } from "../prepare.js";
import { carryOut } from "./carry-out.ts";
import { type Dockerfile, parseDockerfile } from "./dockerfile.ts";
import { dockerfilePath, lint } from "./lint.ts";
import { tryServer } from "./try-server.ts";
import { everyFileBelow } from "./every-file.ts";

/** Without what npm tells the scripts it runs, and without settings of a Lanthorn of this machine's own. */
function ordinaryEnvironment(): NodeJS.ProcessEnv {
  const left = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(package|lifecycle|command|execpath|node_execpath)|npm_config_(local_prefix|prefix|global_prefix)|LANTHORN_)/.test(
        name,
      ) && !["INIT_CWD", "NODE", "NODE_OPTIONS", "NODE_COMPILE_CACHE"].includes(name),
  );
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  // The base image is Node 24; here the project's own stands for it.
  const node = ownNode(root);
  if (node !== null) path.unshift(dirname(node));
  return { ...Object.fromEntries(left), PATH: path.join(delimiter) };
}

/** Engine packages that a variant asks for. */
function enginesOf(file: Dockerfile, variant: string): readonly string[] {
  const stage = file.stages.find(({ name }) => name === `packages-${variant}`);
  if (stage === undefined) throw new Error(`There is no variant ${variant}.`);
  const asked = stage.instructions.flatMap(({ rest }) => [...rest.matchAll(/@node-llama-cpp\/[\w-]+/g)]);
  return asked.map(([name]) => `node_modules/${name}`);
}

/** What must not be in an image (a development tool, a build for another machine, Electron), and engines that are missing. */
function strangers(modules: string, engines: readonly string[]): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as { packages: LockPackages };
  const wanted = new Set(runtimePackages(packages, { platform: "linux", arch: "x64" }));
  const installed = everyFileBelow(modules)
    .filter((path) => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(`node_modules/${path}`))
    .map((path) => dirname(`node_modules/${path}`));
  const isEngine = (path: string) => path.startsWith("node_modules/@node-llama-cpp/");
  return [
    ...installed.filter((path) => (isEngine(path) ? !engines.includes(path) : !wanted.has(path))),
    ...engines.filter((path) => !installed.includes(path)).map((path) => `${path} (missing)`),
  ];
}

const { values: flags } = parseArgs({
  options: { variant: { type: "string", default: "cpu" }, keep: { type: "boolean", default: false } },
});
const text = readFileSync(join(root, dockerfilePath), "utf8");
const findings = lint(text, root);
for (const { line, rule, message } of findings) say(`${dockerfilePath}:${line}: ${message} (${rule})`);
if (findings.length > 0) process.exit(1);
say(`${dockerfilePath} keeps to its rules.`);

const below = mkdtempSync(join(tmpdir(), "lanthorn-image-"));
chmodSync(below, 0o755);
const startedMs = performance.now();
try {
  const file = parseDockerfile(text);
  const engines = enginesOf(file, flags.variant);
  const targets = await carryOut({
    file,
    targets: ["server", "rental"],
    values: { VARIANT: flags.variant },
    context: root,
    below,
    environment: ordinaryEnvironment(),
    say,
  });
  const server = targets.get("server");
  const rental = targets.get("rental");
  if (server === undefined || rental === undefined) throw new Error("A target is missing.");
  const program = join(server.root, "opt/lanthorn");
  const files = everyFileBelow(program);
  const bytes = files.reduce((sum, path) => sum + lstatSync(join(program, path)).size, 0);
  const odd = strangers(join(program, "node_modules"), engines);
  if (odd.length > 0) throw new Error(`These packages are not what the image is for: ${odd.join(", ")}`);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(
    `/opt/lanthorn of variant ${flags.variant}: ${(bytes / 1e6).toFixed(0)} MB in ${files.length} files, carried out in ${seconds} s.`,
  );
  const uid = server.user?.uid ?? 0;
  for (const [name, built] of [...targets].sort()) {
    const { ranAs, readyMs, tokens, stopMs } = await tryServer(built, uid);
    console.log(
      `${name}: ran as user ${ranAs}, was ready after ${Math.round(readyMs)} ms, answered ${tokens} tokens, refused a chat without a ` +
        `key, and ended ${Math.round(stopMs)} ms after SIGTERM.`,
    );
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  if (flags.keep) say(`The folder is ${below}.`);
  else rmSync(below, { recursive: true, force: true });
}
