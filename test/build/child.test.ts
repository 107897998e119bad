/** A program that npm started in a shell ends when that shell is ended. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { start } from "./programs.ts";
import { checkout, emptyTree } from "./tree.ts";

test.runIf(process.platform !== "win32")("a SIGTERM for the shell in between reaches the program", async () => {
  const tree = emptyTree();
  tree.write(
    "program.mjs",
    `import { stopWithParent } from ${JSON.stringify(pathToFileURL(join(checkout, "build/child.js")).href)};
     process.on("SIGTERM", () => { console.log("told to stop"); process.exit(0); });
     setInterval(() => {}, 1000);
     stopWithParent();
     console.log("running");`,
  );
  // The second command keeps the shell from handing its own place over to the first.
  const command = `"${process.execPath}" "${join(tree.root, "program.mjs")}"; true`;
  const shell = start("sh", ["-c", command], { ...process.env, npm_lifecycle_event: "start" });
  await shell.printed("running");
  shell.kill("SIGTERM");
  // The pipe closes when the program, too, has ended.
  expect(await shell.ended).toMatchObject({ signal: "SIGTERM", stdout: "running\ntold to stop\n" });
});
