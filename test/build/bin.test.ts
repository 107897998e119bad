/** The bin finds a Node that can run the product, stands in front of it, or says what to do. */
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";
import { describe, expect, test } from "vitest";
import { asNode, start, systemNode } from "./programs.ts";
import { checkout, emptyTree, type Tree } from "./tree.ts";

const commandLine = `
export async function run(argv) {
  if (argv[0] === "exit") process.exitCode = Number(argv[1]);
  if (argv[0] === "where") console.log(import.meta.url.replace(/.*?\\/(?=server|dist)/, ""), process.versions.node, argv.slice(1).join("|"));
  if (argv[0] === "wait") {
    for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => { console.log(name); process.exit(7); });
    setInterval(() => {}, 1000);
    console.log("waiting");
  }
  if (argv[0] === "die") process.kill(process.pid, "SIGKILL");
}
`;

/** A checkout with this bin and a small command line; its own Node is the one that runs the tests. */
function smallCheckout(): Tree {
  const tree = emptyTree();
  tree.take("build/lanthorn.js", "build/child.js", "package.json");
  tree.write("server/cli/main.ts", commandLine);
  mkdirSync(join(tree.root, "node_modules/node/bin"), { recursive: true });
  symlinkSync(process.execPath, join(tree.root, "node_modules/node/bin/node"));
  return tree;
}

const bin = (tree: Tree) => join(tree.root, "build/lanthorn.js");

describe("under a Node that cannot run the product", () => {
  const scripts = ["lanthorn", "start", "test", "task"];

  test.each(scripts)("build/%s.js can be read as a plain script, as a Node from before modules would", (name) => {
    const source = readFileSync(join(checkout, `build/${name}.js`), "utf8");
    expect(() => new Script(source.replace(/^#!.*/, ""))).not.toThrow();
    expect(source).not.toMatch(/\?\.|\?\?/);
  });

  test.each(["12.22.12", "18.20.8", "20.20.2", "22.20.0", "24.11.0", "26.1.0"])(
    "%s and no other: a sentence and status 78",
    async (version) => {
      const tree = emptyTree();
      tree.take("build/lanthorn.js", "build/child.js", "package.json");
      const { code, stdout, stderr } = await start(process.execPath, [...asNode(tree, version), bin(tree), "serve"])
        .ended;
      expect({ code, stdout }).toEqual({ code: 78, stdout: "" });
      expect(stderr).toBe(
        `lanthorn: needs Node 24 (24.12 or newer) and this is Node ${version}. ` +
          "In a checkout, `npm start` or `npm ci` brings the right one; elsewhere install Node 24.\n",
      );
    },
  );

  test.each(["start", "test", "task"])("build/%s.js under 18.20.8: a sentence and status 78", async (name) => {
    const tree = emptyTree();
    const script = join(checkout, `build/${name}.js`);
    const { code, stderr } = await start(process.execPath, [...asNode(tree, "18.20.8"), script]).ended;
    expect({ code, stderr }).toEqual({
      code: 78,
      stderr: "Lanthorn needs Node 20 or newer to set itself up, and this is Node 18.20.8.\n",
    });
  });

  test("it starts itself again with the project's own Node and returns its status", async () => {
    const tree = smallCheckout();
    const old = asNode(tree, "20.20.2");
    const where = await start(process.execPath, [...old, bin(tree), "where", "a b", "--c"]).ended;
    expect(where.stdout).toBe(`server/cli/main.ts ${process.versions.node} a b|--c\n`);
    expect((await start(process.execPath, [...old, bin(tree), "exit", "3"]).ended).code).toBe(3);
    expect((await start(process.execPath, [...old, bin(tree), "die"]).ended).code).toBe(137);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s goes through to the program behind it, once", async (signal) => {
    const tree = smallCheckout();
    const running = start(process.execPath, [...asNode(tree, "20.20.2"), bin(tree), "wait"]);
    await running.printed("waiting");
    running.kill(signal);
    expect(await running.ended).toMatchObject({ code: 7, stdout: `waiting\n${signal}\n` });
  });

  test("a wrong Node in the project's place ends in the sentence, not in a loop", async () => {
    const tree = smallCheckout();
    const env = { ...process.env, LANTHORN_STARTED_AGAIN: "1" };
    const { code, stderr } = await start(process.execPath, [...asNode(tree, "20.20.2"), bin(tree), "where"], env).ended;
    expect(code).toBe(78);
    expect(stderr).toContain("this is Node 20.20.2");
  });

  test("the system's own Node is enough to start the product", async ({ skip }) => {
    const node = systemNode();
    if (node === null) return skip("there is no Node on the path besides the project's own");
    const { stdout } = await start(node, [bin(smallCheckout()), "where"]).ended;
    expect(stdout).toBe(`server/cli/main.ts ${process.versions.node} \n`);
  });
});

describe("under the right Node", () => {
  test("sources win over dist/, and dist/ is taken where there are none", async () => {
    const tree = smallCheckout();
    tree.write("dist/server/cli/main.js", commandLine);
    expect((await start(process.execPath, [bin(tree), "where"]).ended).stdout).toMatch(/^server\/cli\/main\.ts /);
    const packed = emptyTree();
    for (const part of ["build", "dist", "package.json", "node_modules"]) {
      cpSync(join(tree.root, part), join(packed.root, part), { recursive: true });
    }
    expect((await start(process.execPath, [bin(packed), "where"]).ended).stdout).toMatch(
      /^dist\/server\/cli\/main\.js /,
    );
  });

  test("it may be called through a link, as npm makes one", async () => {
    const tree = smallCheckout();
    symlinkSync(bin(tree), join(tree.root, "link.js"));
    const { stdout } = await start(process.execPath, [join(tree.root, "link.js"), "where"]).ended;
    expect(stdout).toMatch(/^server\/cli\/main\.ts /);
  });

  test("an incomplete folder gets a sentence and status 78", async () => {
    const tree = emptyTree();
    tree.take("build/lanthorn.js", "build/child.js", "package.json");
    const nothing = await start(process.execPath, [bin(tree), "serve"]).ended;
    expect(nothing).toMatchObject({ code: 78, stdout: "" });
    expect(nothing.stderr).toContain("the folder is not complete");

    tree.write("server/cli/main.ts", `import "commander";\n${commandLine}`);
    const bare = await start(process.execPath, [bin(tree), "serve"]).ended;
    expect(bare.code).toBe(78);
    expect(bare.stderr).toContain("its packages are not installed yet. Run `npm start`, or `npm ci`, in");

    tree.write("node_modules/other/package.json", "{}");
    const half = await start(process.execPath, [bin(tree), "serve"]).ended;
    expect(half.code).toBe(78);
    expect(half.stderr).toContain("the installation is not complete (Cannot find package 'commander'");
  });
});
