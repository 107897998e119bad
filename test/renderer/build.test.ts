import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "vite";

const configFile = fileURLToPath(new URL("../../renderer/vite.config.ts", import.meta.url));
const folders: string[] = [];

/** Builds the page as `npm start` does, into a folder of its own; gives back what was written, by name. */
async function buildPage(): Promise<ReadonlyMap<string, Buffer>> {
  const folder = await mkdtemp(join(tmpdir(), "lanthorn-page-"));
  folders.push(folder);
  await build({ configFile, mode: "production", logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(
    names.sort().map(async (name) => [name.slice(folder.length), await readFile(name)] as const),
  );
  return new Map(files);
}

describe("the built page", () => {
  let files: ReadonlyMap<string, Buffer>;
  beforeAll(async () => {
    files = await buildPage();
  });
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  it("comes out the same twice", async () => {
    expect(await buildPage()).toEqual(files);
  });

  it("shows nobody its sources", () => {
    const names = [...files.keys()];
    expect(names.filter((name) => name.endsWith(".map"))).toEqual([]);
    for (const [name, content] of files) expect(content.includes("sourceMappingURL"), name).toBe(false);
  });

  it("works under a policy without inline scripts and styles, and asks nobody else for anything", () => {
    const html = files.get("/index.html")?.toString() ?? "";
    expect(html).toContain('<div id="page">');
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/);
    const addresses = [...html.matchAll(/\s(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
    expect(addresses.length).toBeGreaterThanOrEqual(4);
    for (const address of addresses) expect(address).toMatch(/^\/(?!\/)/);
    for (const address of addresses) expect(files.has(address ?? ""), address).toBe(true);
  });

  it("names what may be kept for good by a hash of its content", () => {
    const assets = [...files.keys()].filter((name) => name.startsWith("/assets/"));
    expect(assets.length).toBeGreaterThanOrEqual(2);
    for (const name of assets) expect(name).toMatch(/-[\w-]{8}\.(js|css)$/);
  });

  it("has the lamp in its five states", () => {
    expect([...files.keys()].filter((name) => name.startsWith("/lamp/"))).toHaveLength(5);
  });

  it("stays small: a first visit over a slow line is part of the product", () => {
    const scripts = [...files].filter(([name]) => name.endsWith(".js")).map(([, content]) => gzipSync(content).length);
    const styles = [...files].filter(([name]) => name.endsWith(".css")).map(([, content]) => gzipSync(content).length);
    expect(scripts.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
    expect(styles.reduce((sum, size) => sum + size, 0)).toBeLessThan(10_000);
  });
});
