#!/usr/bin/env node
/**
 * The bin: `lanthorn <command>`. Finds a Node that can run the product, then hands over to the command line.
 *
 * Plain JavaScript without static imports, `import.meta` or newer syntax, so that any Node since 10 can read it and answer with a
 * sentence instead of a stack trace. It matters: better-sqlite3 does not throw under Node 20, it ends the process without a word.
 */
const EXIT_CANNOT_START = 78;
/** Set for the child when this file starts itself again: a second wrong Node ends in a sentence, never in a loop. */
const REPEATED = "LANTHORN_STARTED_AGAIN";

function fail(sentence) {
  console.error(`lanthorn: ${sentence}`);
  process.exit(EXIT_CANNOT_START);
}

/** Sources run as they are from 24.12 on (type stripping without a warning); no other major is tested with. */
function isRightNode(version) {
  const [major, minor] = version.split(".").map(Number);
  return major === 24 && minor >= 12;
}

/** The project's own Node: in a packed folder, or where npm puts the package `node`. */
function ownNode(fs, path, root) {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const places = [
    path.join(root, "node", "bin", name),
    path.join(root, "node_modules", "node", "bin", name),
    path.join(root, "node_modules", ".bin", name),
  ];
  return places.find((place) => fs.existsSync(place));
}

/** Starts this file again under `node`, with this process in front: same terminal, signals passed on, exit status back. */
function startAgain(node) {
  const env = Object.assign({}, process.env, { [REPEATED]: "1" });
  return import("./child.js")
    .then((child) => child.runInFront(node, process.argv.slice(1), { env }))
    .then(
      (status) => process.exit(status),
      (error) => fail(`the project's own Node at ${node} does not start: ${error.message}`),
    );
}

/** Sources where there are any, else the compiled files of a package. */
function entryOf(fs, path, root) {
  const entries = [path.join(root, "server", "cli", "main.ts"), path.join(root, "dist", "server", "cli", "main.js")];
  return entries.find((entry) => fs.existsSync(entry));
}

function main([fs, path, url]) {
  // The link in node_modules/.bin leads here too, so the real path decides what "beside this file" means.
  const root = path.dirname(path.dirname(fs.realpathSync(process.argv[1])));
  if (!isRightNode(process.versions.node)) {
    const node = process.env[REPEATED] ? undefined : ownNode(fs, path, root);
    if (node) return startAgain(node);
    return fail(
      `needs Node 24 (24.12 or newer) and this is Node ${process.versions.node}. ` +
        "In a checkout, `npm start` or `npm ci` brings the right one; elsewhere install Node 24.",
    );
  }
  delete process.env[REPEATED];
  const entry = entryOf(fs, path, root);
  if (!entry) {
    return fail("found neither server/cli/main.ts nor dist/server/cli/main.js beside it: the folder is not complete.");
  }
  if (!fs.existsSync(path.join(root, "node_modules"))) {
    return fail(`its packages are not installed yet. Run \`npm start\`, or \`npm ci\`, in ${root}.`);
  }
  return Promise.all([import("node:module"), import("node:v8")]).then(([modules, v8]) => {
    // V8 doubles the space for new objects whenever a burst of requests outgrows it, and does not give it back: a server grew from
    // 116 to 250 MB over 8,000 requests without one more live object. Only what has not grown yet can be kept small, so it is set here.
    v8.setFlagsFromString("--semi-space-growth-factor=1");
    // Keeps stripped and compiled sources between starts: 24 MB less memory. Inside our own folder, never in a shared /tmp, where
    // another user could put code in its place; where it cannot be written nothing is kept.
    modules.enableCompileCache(path.join(root, "node_modules", ".cache", "lanthorn-compile"));
    return run(url.pathToFileURL(entry).href, root);
  });
}

function run(entry, root) {
  return import(entry).then(
    (cli) => cli.run(process.argv.slice(2)),
    (error) => {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
      fail(`the installation is not complete (${error.message}). Run \`npm ci\` in ${root}.`);
    },
  );
}

Promise.all([import("node:fs"), import("node:path"), import("node:url")]).then(main, () => {
  // Only a Node that does not know `node:` imports (before 12.20) comes here.
  fail(`needs Node 24 and this is Node ${process.versions.node}. Install Node 24.`);
});
