/** The install script for a bare box: what it would do, and what it does below a prefix, where it needs no rights. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { filesBelow } from "../../build/products.js";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { start } from "./programs.ts";
import { checkout, emptyTree, type Tree } from "./tree.ts";

/** Where Lanthorn is installed for real, a dry run has less or more to do. */
const installed = ["/opt/lanthorn", "/etc/lanthorn", "/usr/local/bin/lanthorn"].some((path) => existsSync(path));
const onLinux = process.platform === "linux" && process.arch === "x64" ? describe : describe.skip;

/** A folder as `npm run pack` makes one, but for what is large. */
function packed(): Tree {
  const tree = emptyTree();
  tree.take("build/install.sh", "build/systemd", "build/lanthorn.js", "build/child.js", "package.json");
  tree.write("dist/server/cli/main.js", 'export async function run(argv) { console.log("ran", ...argv); }\n');
  tree.write("node_modules/node-llama-cpp/package.json", '{\n  "name": "node-llama-cpp",\n  "version": "3.22.1"\n}\n');
  mkdirSync(join(tree.root, "node/bin"), { recursive: true });
  symlinkSync(process.execPath, join(tree.root, "node/bin/node"));
  return tree;
}

/** Programs that stand first on the path. */
function toolsFolder(scripts: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, body] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

const nvidia = (driver: string) => `echo "${driver}, NVIDIA GeForce RTX 4090, 24564 MiB"`;

async function install(top: string, words: readonly string[], tools: Readonly<Record<string, string>> = {}) {
  const env = { ...process.env, PATH: `${toolsFolder(tools)}:${process.env.PATH}` };
  const { code, stdout, stderr } = await start("bash", [join(top, "build/install.sh"), ...words], env).ended;
  return { code, stdout, stderr };
}

const commandsIn = (stdout: string) => stdout.split("\n").filter((line) => line.startsWith("+"));

onLinux("a dry run", () => {
  test.skipIf(installed)("of a packed folder prints every command, downloads nothing and changes nothing", async () => {
    const { root } = packed();
    const { code, stdout, stderr } = await install(root, ["--dry-run"], {
      "nvidia-smi": nvidia("580.95.05"),
      getent: "exit 2",
    });
    expect(code, stderr).toBe(0);
    expect(commandsIn(stdout)).toEqual([
      "+ useradd --system --user-group --home-dir /var/lib/lanthorn --no-create-home --shell /usr/sbin/nologin lanthorn",
      "+ mkdir -p /opt /usr/local/bin /etc/systemd/system",
      "+ rm -rf /opt/lanthorn.new",
      `+ cp -a --reflink=auto ${root} /opt/lanthorn.new`,
      "+ chown -R root:root /opt/lanthorn.new",
      "+ rm -rf /opt/lanthorn.old",
      "+ mv /opt/lanthorn.new /opt/lanthorn",
      "+ rm -rf /opt/lanthorn.old",
      `+ install -m 0644 ${root}/build/systemd/lanthorn.service ${root}/build/systemd/lanthorn-gpu.service /etc/systemd/system/`,
      "+ rm -f /usr/local/bin/lanthorn",
      "+ write /usr/local/bin/lanthorn (755)",
      "+ install -d -m 0700 /etc/lanthorn",
      "+ write /etc/lanthorn/lanthorn.env (600)",
      "+ write 32 random bytes, as base64, to /etc/lanthorn/master.key (600)",
      "+ systemctl daemon-reload",
      "+ systemctl enable lanthorn.service",
      "+ systemctl restart lanthorn.service",
    ]);
    expect(["/opt/lanthorn", "/etc/lanthorn", "/usr/local/bin/lanthorn"].filter((path) => existsSync(path))).toEqual(
      [],
    );
    expect(stdout).toContain("GPU       580.95.05, NVIDIA GeForce RTX 4090, 24564 MiB");
  });

  test("of a checkout packs it first, with CUDA 12 where the driver knows no newer", async () => {
    const { stdout } = await install(checkout, ["--dry-run"], {
      "nvidia-smi": nvidia("550.120"),
      getent: "exit 2",
      node: "echo v20.20.2",
    });
    const npm = commandsIn(stdout).filter((line) => line.includes("npm"));
    expect(npm.map((line) => line.replace(/^\+ (runuser -u \S+ -- )?/, "").replaceAll(checkout, "."))).toEqual([
      "npm --prefix . ci --ignore-scripts --no-audit --no-fund",
      "npm --prefix . install --no-save --ignore-scripts --no-audit --no-fund @node-llama-cpp/linux-x64-cuda-ext@3.22.1",
      "npm --prefix . run --silent pack",
    ]);
    expect(stdout).toContain(`cp -a --reflink=auto ${checkout}/out/lanthorn /opt/lanthorn.new`);
  });

  test.each([
    ["580.95.05", "libcudart.so.13 and libcublas.so.13 are not installed"],
    ["550.120", "libcudart.so.12 and libcublas.so.12 are not installed"],
    ["470.256", "driver 470 is too old for the engine's CUDA"],
  ])("says what driver %s lacks", async (driver, sentence) => {
    const { stdout } = await install(packed().root, ["--dry-run"], { "nvidia-smi": nvidia(driver), ldconfig: "true" });
    expect(stdout).toContain(sentence);
  });

  test("of a removal keeps data and keys, and with --purge says that it does not", async () => {
    const { root } = packed();
    const kept = await install(root, ["--dry-run", "--uninstall"]);
    expect(commandsIn(kept.stdout)).toEqual([
      "+ systemctl disable --now lanthorn.service lanthorn-gpu.service",
      "+ rm -rf /opt/lanthorn /var/cache/lanthorn",
      "+ rm -f /etc/systemd/system/lanthorn.service /etc/systemd/system/lanthorn-gpu.service /usr/local/bin/lanthorn",
      "+ systemctl daemon-reload",
    ]);
    const purged = await install(root, ["--dry-run", "--uninstall", "--purge"]);
    expect(commandsIn(purged.stdout)).toContain("+ rm -rf /var/lib/lanthorn /etc/lanthorn");
  });
});

onLinux("refusals", () => {
  test("nothing is changed where nobody can be asked, and wrong words are said", async () => {
    const { root } = packed();
    const prefix = temporaryFolder();
    expect(await install(root, ["--prefix", prefix])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--yes"),
    });
    expect(filesBelow(prefix, ".")).toEqual([]);
    expect(await install(root, ["--frobnicate"])).toMatchObject({ code: 2, stderr: expect.stringContaining("--help") });
    expect(await install(root, ["--purge"])).toMatchObject({ code: 2 });
    expect((await install(root, ["--help"])).stdout).toContain("--uninstall");
  });

  test.each([
    ["another processor", { uname: 'if [ "$1" = -m ]; then echo aarch64; else echo Linux; fi' }, "x86-64"],
    ["an old C library", { getconf: "echo glibc 2.31" }, "needs glibc 2.34"],
    ["a full disk", { df: "printf 'a b c d\\n1 2 3 900\\n'" }, "needs 2000 MB"],
  ])("%s ends it with 78", async (_, tools, sentence) => {
    expect(await install(packed().root, ["--dry-run"], tools)).toMatchObject({
      code: 78,
      stderr: expect.stringContaining(sentence),
    });
  });

  test("a checkout without a Node that can pack it says what to do instead", async () => {
    const { code, stderr } = await install(checkout, ["--dry-run"], { node: "echo v18.19.1" });
    expect(code).toBe(78);
    expect(stderr).toContain("`npm run pack` on another machine");
  });
});

onLinux("below a prefix", () => {
  test("it puts everything in place, twice over the same data, and takes the program away again", async () => {
    const { root } = packed();
    const prefix = temporaryFolder();
    const at = (path: string) => join(prefix, path);
    const mode = (path: string) => (statSync(at(path)).mode & 0o777).toString(8);
    const first = await install(root, ["--prefix", prefix, "--yes", "--lan"]);
    expect(first.code, first.stderr).toBe(0);
    expect([mode("etc/lanthorn"), mode("etc/lanthorn/master.key"), mode("etc/lanthorn/lanthorn.env")]).toEqual([
      "700",
      "600",
      "600",
    ]);
    const key = readFileSync(at("etc/lanthorn/master.key"), "utf8").trim();
    expect(Buffer.from(key, "base64")).toHaveLength(32);
    expect(first.stdout + first.stderr).not.toContain(key);
    expect(readFileSync(at("etc/lanthorn/lanthorn.env"), "utf8")).toMatch(
      /^LANTHORN_HOST=0\.0\.0\.0\nLANTHORN_TLS_MODE=self-signed$/m,
    );
    expect(filesBelow(prefix, "etc/systemd/system")).toEqual([
      "etc/systemd/system/lanthorn-gpu.service",
      "etc/systemd/system/lanthorn.service",
    ]);
    expect(mode("usr/local/bin/lanthorn")).toBe("755");

    // What the unit starts is there and runs.
    const node = at("opt/lanthorn/node/bin/node");
    const ran = await start(node, [at("opt/lanthorn/build/lanthorn.js"), "serve", "--headless"], { PATH: "" }).ended;
    expect(ran).toMatchObject({ code: 0, stdout: "ran serve --headless\n" });

    writeFileSync(at("etc/lanthorn/lanthorn.env"), "LANTHORN_PORT=5000\n");
    writeFileSync(at("opt/lanthorn/left-over.txt"), "of an older version");
    const second = await install(root, ["--prefix", prefix, "--yes"]);
    expect(second.code, second.stderr).toBe(0);
    expect(readFileSync(at("etc/lanthorn/master.key"), "utf8").trim()).toBe(key);
    expect(readFileSync(at("etc/lanthorn/lanthorn.env"), "utf8")).toBe("LANTHORN_PORT=5000\n");
    expect(
      ["opt/lanthorn/left-over.txt", "opt/lanthorn.new", "opt/lanthorn.old"].filter((path) => existsSync(at(path))),
    ).toEqual([]);

    mkdirSync(at("var/lib/lanthorn"), { recursive: true });
    expect((await install(root, ["--prefix", prefix, "--yes", "--uninstall"])).code).toBe(0);
    expect(
      ["opt/lanthorn", "usr/local/bin/lanthorn", "etc/lanthorn", "var/lib/lanthorn"].map((path) =>
        existsSync(at(path)),
      ),
    ).toEqual([false, false, true, true]);
    expect((await install(root, ["--prefix", prefix, "--yes", "--uninstall", "--purge"])).code).toBe(0);
    expect(["etc/lanthorn", "var/lib/lanthorn"].map((path) => existsSync(at(path)))).toEqual([false, false]);
  });
});
