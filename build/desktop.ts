/**
 * `npm run desktop`: compiles the shell and opens it with Electron's own program. That program is not part of the npm package: the
 * first run downloads it from Electron's releases. Options after `--` go to the shell.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runInFront } from "./child.js";
import { prepare, root, say } from "./prepare.js";
import { tool } from "./products.js";

const electron = join(root, "node_modules", "electron");

/** Electron's program, or null where it is not there. Its package writes the program's name into path.txt once it is. */
function electronProgram(): string | null {
  const names = join(electron, "path.txt");
  const name = existsSync(names) ? readFileSync(names, "utf8").trim() : "electron";
  const program = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(electron, "dist"), name);
  return existsSync(program) ? program : null;
}

async function fetchElectron(): Promise<string | null> {
  if (electronProgram() !== null || process.env.ELECTRON_OVERRIDE_DIST_PATH !== undefined) return electronProgram();
  say("Fetching Electron's own program (about 110 MB, once).");
  await runInFront(process.execPath, [join(electron, "install.js")], { cwd: root });
  return electronProgram();
}

await prepare("renderer");
const compiled = await tool(root, "typescript/bin/tsc", [
  // From the top, so that types taken from the domain do not move the shell's own files.
  ...["-p", "electron", "--noEmit", "false", "--noCheck", "--rootDir", ".", "--outDir", "dist"],
]);
if (compiled.code !== 0) {
  say(`${compiled.output.trim()}\nCompiling the shell failed; what the compiler said stands above.`);
  process.exit(1);
}
const program = await fetchElectron();
if (program === null) {
  say(
    "Electron's own program is not here and could not be fetched. Run `npm run desktop` again with a network, or set " +
      "ELECTRON_OVERRIDE_DIST_PATH to a folder that holds it. `npm start` serves the same page to a browser.",
  );
  process.exit(78);
}
process.exitCode = await runInFront(program, [join(root, "dist", "electron", "main.js"), ...process.argv.slice(2)], {
  cwd: root,
});
