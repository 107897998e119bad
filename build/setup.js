// @ts-check
/**
 * Installs what a checkout is missing, and says so in plain words. Runs before `npm start`, `npm test` and the other scripts,
 * on a plain Node 20 with nothing installed: `node:` imports only.
 *
 * What is installed is read from the lock that npm leaves in node_modules, so an installation made by hand counts as well
 * and there is no stamp of our own to go stale. Install scripts of packages never run, except the one that fetches Node 24.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ownNode, runQuietly } from "./child.js";

/**
 * @typedef {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} Packages  path → lock entry
 * @typedef {object} Facts
 * @property {Packages} wanted     packages of package-lock.json
 * @property {Packages | null} installed  packages of the lock inside node_modules; null when an installation never finished
 * @property {boolean} hasFolder   there is a node_modules
 * @property {boolean} hasNode     the project's own Node is there
 * @typedef {"nothing" | "packages" | "node"} Step
 * @typedef {{ step: Step, because: string }} Decision
 */

/** @param {string} root @returns {Facts} */
export function readFacts(root) {
  const modules = join(root, "node_modules");
  const hidden = join(modules, ".package-lock.json");
  return {
    wanted: JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages,
    installed: existsSync(hidden) ? JSON.parse(readFileSync(hidden, "utf8")).packages : null,
    hasFolder: existsSync(modules),
    hasNode: ownNode(root) !== null,
  };
}

/** What has to be done, and why. Pure. @param {Facts} facts @returns {Decision} */
export function decide(facts) {
  if (!facts.hasFolder) return { step: "packages", because: "nothing is installed yet" };
  if (facts.installed === null) return { step: "packages", because: "an earlier installation did not finish" };
  const { wanted, installed } = facts;
  const missing = Object.entries(wanted).find(
    ([path, entry]) => path !== "" && !entry.optional && !entry.devOptional && installed[path] === undefined,
  );
  if (missing) return { step: "packages", because: `${nameOf(missing[0])} is missing` };
  const changed = Object.entries(installed).find(([path, entry]) => wanted[path]?.version !== entry.version);
  if (changed) return { step: "packages", because: `package-lock.json has changed (${nameOf(changed[0])})` };
  if (!facts.hasNode) return { step: "node", because: "the project's own Node is missing" };
  return { step: "nothing", because: "everything is installed" };
}

/** @param {string} path */
function nameOf(path) {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

/**
 * Brings the checkout at `root` up to date. Resolves with false, after a sentence, where that failed.
 * @param {string} root
 * @param {(line: string) => void} say
 * @returns {Promise<boolean>}
 */
export async function setUp(root, say) {
  const { step, because } = decide(readFacts(root));
  if (step === "nothing") return true;
  if (step === "packages") {
    say(`Setting up: ${because}. Downloading the packages (about 320 MB, 900 MB on disk; a minute on a fast line).`);
    if (!(await npm(root, ["ci", "--ignore-scripts"], say))) return false;
  }
  say("Setting up: fetching the project's own Node 24 (50 MB).");
  if (!(await npm(root, ["rebuild", "node"], say))) return false;
  if (ownNode(root) !== null) return true;
  say("Setting up failed: npm package `node` did not bring a Node for this system. Install Node 24 and try again.");
  return false;
}

/** How long nothing may be heard before a line says that work goes on. */
const SILENCE_MS = 15_000;

/**
 * @param {string} root
 * @param {readonly string[]} args
 * @param {(line: string) => void} say
 */
async function npm(root, args, say) {
  const startedMs = performance.now();
  const seconds = () => Math.round((performance.now() - startedMs) / 1000);
  const timer = setInterval(() => say(`  still at it after ${seconds()} s`), SILENCE_MS);
  const [command, first] = npmCommand();
  const all = [...first, ...args, "--loglevel=error", "--no-audit", "--no-fund", "--no-progress"];
  const result = await runQuietly(command, all, {
    cwd: root,
    shell: first.length === 0 && process.platform === "win32",
  })
    .catch((error) => ({ code: 1, output: `npm does not start (${error.code}). It comes with Node.` }))
    .finally(() => clearInterval(timer));
  if (result.code === 0) {
    say(`  done in ${seconds()} s`);
    return true;
  }
  say(result.output.trim());
  say(`Setting up failed: \`npm ${args.join(" ")}\` ended with status ${result.code}; what it said stands above.`);
  return false;
}

/**
 * The npm that started us where there is one, else the one on the path. Asked before each step: a script of npm runs under the
 * project's own Node, and `npm ci` has just removed that with everything else. @returns {[string, string[]]}
 */
function npmCommand() {
  const started = process.env.npm_execpath ?? "";
  const node = [process.execPath, process.env.npm_node_execpath ?? ""].find((path) => path !== "" && existsSync(path));
  const isThere = basename(started) === "npm-cli.js" && existsSync(started) && node !== undefined;
  return isThere ? [node, [started]] : ["npm", []];
}
