/** The layer check sees a breach in every room, and none in the tree as it is. */
import { execFile } from "node:child_process";
import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { checkLayers, importsOf } from "../../build/check-layers.ts";
import { type Layer, layers } from "../../build/layers.ts";
import { checkout, emptyTree } from "./tree.ts";

const rooms = ["server", "models", "renderer", "electron", "build"];

/** A copy of everything the check reads. */
function copyOfTheTree() {
  const tree = emptyTree();
  tree.take("package.json", ...rooms.filter((room) => existsSync(join(checkout, room))));
  return tree;
}

/** Some room that `layer` must not see. */
function forbiddenFor(layer: Layer): string {
  const seen = [layer.room, ...layer.mayImport, ...(layer.mayImportTypes ?? [])];
  const forbidden = layers.find(({ room }) => !seen.some((path) => room === path || path.startsWith(`${room}/`)));
  if (forbidden === undefined) throw new Error(`${layer.room} may see everything`);
  return forbidden.room;
}

test("the tree as it is has no breach", () => {
  expect(checkLayers(checkout)).toEqual([]);
});

interface Planted {
  readonly layer: Layer;
  readonly forbidden: string;
  readonly file: string;
}

/** A file of the layer, or a new one in it, that imports what it must not. */
function plant(tree: ReturnType<typeof copyOfTheTree>, layer: Layer): Planted {
  const forbidden = forbiddenFor(layer);
  const file = layer.room.endsWith(".ts") ? layer.room : `${layer.room}/planted.ts`;
  const up = "../".repeat(file.split("/").length - 1);
  const planted = `${up}${forbidden}${forbidden.endsWith(".ts") ? "" : "/planted.ts"}`;
  const statement = `\nexport * as planted from "${planted.startsWith(".") ? planted : `./${planted}`}";\n`;
  if (existsSync(join(tree.root, file))) appendFileSync(join(tree.root, file), statement);
  else tree.write(file, statement);
  return { layer, forbidden, file };
}

// One look at a tree with a breach in every room: a look takes most of a second.
test("a forbidden import is reported with its file, in every room", () => {
  const tree = copyOfTheTree();
  const planted = layers.map((layer) => plant(tree, layer));
  const breaches = checkLayers(tree.root);
  for (const { layer, file, forbidden } of planted) {
    const own = breaches.filter((breach) => breach.startsWith(`${file}:`));
    expect(own, layer.room).toHaveLength(1);
    expect(own[0]).toMatch(new RegExp(`^${file}: may not import .* \\(${layer.room} → ${forbidden}\\)$`));
  }
});

test("the program ends with status 1 and names the file", async () => {
  const tree = copyOfTheTree();
  tree.write("server/domain/planted.ts", `import { readFileSync } from "node:fs";\n`);
  const run = promisify(execFile)(process.execPath, [join(checkout, "build/check-layers.ts"), tree.root]);
  await expect(run).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining(
      "server/domain/planted.ts: may not import node:fs (server/domain → package node:fs)\n",
    ),
  });
});

test("the server may not live on a development tool, a file may not stand outside of the rooms, types pass where only types may", () => {
  const tree = copyOfTheTree();
  tree.write(
    "server/http/planted.ts",
    `import "vite";\nimport type { Plugin } from "vite";\nexport type { Plugin };\n`,
  );
  tree.write("server/cellar/planted.ts", "export {};\n");
  tree.write(
    "electron/planted.ts",
    `import type { Usage } from "../server/domain/usage.ts";\nexport type { Usage };\n`,
  );
  tree.write("electron/planted-value.ts", `export { isContent } from "../server/domain/chat.ts";\n`);
  expect(
    checkLayers(tree.root)
      .filter((breach) => breach.includes("/planted"))
      .sort(),
  ).toEqual([
    "electron/planted-value.ts: may not import ../server/domain/chat.ts (electron → server/domain)",
    "server/cellar/planted.ts: stands in no room of build/layers.ts",
    "server/http/planted.ts: may not import vite (vite is not among the dependencies, so it would be missing when packed)",
  ]);
});

test("every way to import is seen, and text that only looks like one is not", () => {
  const source = `
    import a from "static"; // import no from "comment"
    import type { B } from "type";
    export * from "star"; export { c } from "named";
    const text = 'import x from "string"'; const late = await import("dynamic");
    type D = import("in-type").D;
    export default <p>don't import e from "jsx"</p>;
  `;
  expect(importsOf("x.tsx", source)).toEqual([
    { specifier: "static", typeOnly: false },
    { specifier: "type", typeOnly: true },
    { specifier: "star", typeOnly: false },
    { specifier: "named", typeOnly: false },
    { specifier: "dynamic", typeOnly: false },
    { specifier: "in-type", typeOnly: true },
  ]);
});

test("every room of the table is a folder or a file", () => {
  for (const { room } of layers) expect(existsSync(join(checkout, room)), room).toBe(true);
});
