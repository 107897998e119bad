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

Promise.all([import("./prepare.js"), import("./child.js")]).then(
  async ([{ prepare, root }, { ownNode, runInFront }]) => {
    await prepare("renderer", "server");
    const vitest = [`${root}/node_modules/vitest/vitest.mjs`, "run", "--config", "test/vitest.config.ts"];
    const node = ownNode(root) ?? process.execPath;
    process.exitCode = await runInFront(node, [...vitest, ...process.argv.slice(2)], { cwd: root });
  },
);
