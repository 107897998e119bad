/**
 * Holds our shell scripts against a few rules, and has bash read them (`bash -n`). Run by `npm run check`; ends with status 1 on a finding.
 * It is no ShellCheck, which no package of the npm registry carries: the rules are what goes wrong in scripts that run as root and
 * handle keys. A line that must break one says so on the line before: `# shell: <rule>, because …`.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { filesBelow } from "./products.js";

interface LineRule {
  readonly name: string;
  readonly says: string;
  readonly breach: RegExp;
}

/** Over single lines, comments left out. */
const lineRules: readonly LineRule[] = [
  { name: "no-eval", says: "text does not become commands", breach: /(^|[;&|(]\s*|\b(then|do|else)\s+)eval\b/ },
  { name: "no-trace", says: "`set -x` prints keys into logs", breach: /\bset\s+-\w*x|\bset -o xtrace/ },
  {
    name: "no-backticks",
    says: "$( ) nests and quotes as one expects",
    breach: /(^|[^\\'])`[^'`]*[^\\]`(?![^"]*"\s*$)/,
  },
  {
    name: "no-pipe-to-shell",
    says: "nothing from a network is run unseen",
    breach: /\b(curl|wget)\b.*\|\s*(ba|da)?sh\b/,
  },
  { name: "no-download", says: "what a script needs lies beside it", breach: /(^|[;&|]\s*)(curl|wget)\s/ },
  {
    name: "masked-status",
    says: "`local x=$(…)` hides that the command failed",
    breach: /\b(local|export|readonly|declare)\s+\w+=["']?\$\((?!\()/,
  },
  {
    name: "quoted-path",
    says: "a path with a space is one path",
    breach: /\b(rm|mv|cp|mkdir|chown|chmod|ln|install|tee|cat)\s(?:[^|;&"'#]|"[^"]*"|'[^']*')*\s\$[\w{(@]/,
  },
  {
    name: "secret-shown",
    says: "a key is never printed",
    breach: /\b(echo|printf|say|fail)\b.*\$\{?!?[A-Za-z_]*(KEY|TOKEN|SECRET|PASSWORD)\b/,
  },
  { name: "no-sudo", says: "whoever calls a script gives it its rights", breach: /(^|[;&|]\s*)sudo\s/ },
];

/** Scripts without `set -euo pipefail`, and why. */
const notStrict: Readonly<Record<string, string>> = { ".ci/run": "it goes on after a failure and adds up what failed" };

/** Findings in one script, `path:line: sentence (rule)`. Pure. */
export function findingsIn(path: string, text: string): readonly string[] {
  const lines = text.split("\n");
  const found: string[] = [];
  const add = (index: number, says: string, rule: string) => found.push(`${path}:${index + 1}: ${says} (${rule})`);
  if (lines[0] !== "#!/usr/bin/env bash") add(0, "begins with #!/usr/bin/env bash", "shebang");
  if (notStrict[path] === undefined && !lines.includes("set -euo pipefail")) {
    add(0, "a script ends at the first thing that goes wrong: set -euo pipefail", "strict");
  }
  for (const [index, line] of lines.entries()) {
    if (/\s$/.test(line)) add(index, "no blanks at the end of a line", "blanks");
    // A word that begins with # ends the commands of a line.
    const commands = line.replace(/(^|\s)#(?=\s|$).*$/, "");
    for (const { name, says, breach } of lineRules) {
      const allowed = lines[index - 1]?.includes(`# shell: ${name}, because `) === true;
      if (breach.test(commands) && !allowed) add(index, says, name);
    }
  }
  return found;
}

/** Our own scripts: files that say so in their first line. */
export function scriptsIn(root: string): readonly string[] {
  return ["build", ".ci"]
    .flatMap((folder) => filesBelow(root, folder))
    .filter((path) => /^#!.*\b(ba|da)?sh\b/.test(readFileSync(join(root, path), "utf8").slice(0, 64)));
}

/** Everything that is wrong with the scripts of the checkout at `root`. */
export function checkShell(root: string): readonly string[] {
  return scriptsIn(root).flatMap((path) => {
    const place = join(root, path);
    const found = [...findingsIn(path, readFileSync(place, "utf8"))];
    if ((statSync(place).mode & 0o111) === 0 && process.platform !== "win32") found.push(`${path}: is not executable`);
    const { status, stderr, error } = spawnSync("bash", ["-n", place], { encoding: "utf8" });
    // Without bash there is nothing that could read it: the rules still hold.
    if (error === undefined && status !== 0) found.push(stderr.trimEnd());
    return found;
  });
}

if (import.meta.main) {
  const findings = checkShell(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)));
  for (const finding of findings) console.error(finding);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
