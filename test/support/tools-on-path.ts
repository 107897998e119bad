/** Small programs that stand for a vendor's tools, put first on this process's PATH for one test. */
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./temporary-folder.ts";

/** Names and bodies of shell scripts. A script that waits must `exec` what waits, so that ending it ends all of it. */
export function toolsOnPath(scripts: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, body] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const before = process.env.PATH ?? "";
  process.env.PATH = `${folder}${delimiter}${before}`;
  onTestFinished(() => {
    process.env.PATH = before;
  });
  return folder;
}

/** A script's body that prints a text and ends with a code. */
export function printing(text: string, code = 0): string {
  return `cat <<'LANTHORN_END'\n${text}\nLANTHORN_END\nexit ${code}`;
}
