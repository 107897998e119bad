// @ts-check
/**
 * `npm start`: installs what is missing, builds the web page when its sources changed, and serves. Options after `--` go to
 * `lanthorn serve`. No static imports, so that an old Node answers with a sentence.
 */
if (Number(process.versions.node.split(".")[0]) < 20) {
  console.error(`Lanthorn needs Node 20 or newer to set itself up, and this is Node ${process.versions.node}.`);
  process.exit(78);
}

import("./prepare.js").then(async ({ prepare, root }) => {
  await prepare("renderer");
  // From here on this process is the server itself (or, under another Node, the one that stands in front of it).
  const bin = `${root}/build/lanthorn.js`;
  process.argv = [process.execPath, bin, "serve", ...process.argv.slice(2)];
  await import("./lanthorn.js");
});
