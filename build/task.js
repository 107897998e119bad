// @ts-check
/**
 * `node build/task.js <script.ts> …` sets up and then runs that script under the project's Node: the way in for the npm scripts of
 * contributors. No static imports, so that an old Node answers with a sentence.
 */
if (Number(process.versions.node.split(".")[0]) < 20) {
  console.error(`Lanthorn needs Node 20 or newer to set itself up, and this is Node ${process.versions.node}.`);
  process.exit(78);
}

Promise.all([import("./prepare.js"), import("./child.js")]).then(async ([setup, { ownNode, runInFront }]) => {
  await setup.prepare();
  const node = ownNode(setup.root) ?? process.execPath;
  process.exitCode = await runInFront(node, process.argv.slice(2), { cwd: setup.root });
});
