// @ts-check
/**
 * `node build/task.js <script.ts> …` sets up and then runs that script under the project's Node: the way in for the npm scripts of
 * contributors. No static imports, so that an old Node answers with a sentence.
 */
if (Number(process.versions.node.split(".")[0]) < 20) {
  console.error(`Lanthorn needs Node 20 or newer to set itself up, and this is Node ${process.versions.node}.`);
  process.exit(78);
}

import("./prepare.js").then(async ({ prepare, runScript }) => {
  await prepare();
  await runScript(...process.argv.slice(2));
});
