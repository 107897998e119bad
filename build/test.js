// @ts-check
/**
 * `npm test`: installs what is missing, builds what the tests start, and runs them under the project's Node. Words after `--`
 * go to vitest (`npm test -- ledger` runs the files with "ledger" in their path). No static imports, so that an old Node
 * answers with a sentence.
 */
if (Number(process.versions.node.split(".")[0]) < 20) {
  console.error(`Lanthorn needs Node 20 or newer to set itself up, and this is Node ${process.versions.node}.`);
  process.exit(78);
}

import("./prepare.js").then(async ({ prepare, runScript }) => {
  await prepare("renderer", "server");
  await runScript(
    "node_modules/vitest/vitest.mjs",
    "run",
    "--config",
    "test/vitest.config.ts",
    ...process.argv.slice(2),
  );
});
