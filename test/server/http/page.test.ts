/** S-38: the page's files, their headers, and everything that is not to be had. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRaw, openRoom, type Room } from "./room.ts";

let room: Room;
let folder: string;
beforeAll(async () => {
  // A dot in the path of the folder itself, as in ~/.local, is no reason to hide its files.
  folder = join(mkdtempSync(join(tmpdir(), ".lanthorn-page-")), "renderer");
  mkdirSync(join(folder, "assets"), { recursive: true });
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Lanthorn</title>");
  writeFileSync(join(folder, "icon.svg"), "<svg/>");
  writeFileSync(join(folder, "assets", "index-1a2b.js"), "export {};");
  writeFileSync(join(folder, "assets", "index-1a2b.js.map"), "{}");
  writeFileSync(join(folder, ".env"), "SECRET=1");
  writeFileSync(join(folder, "..", "outside.txt"), "outside");
  room = await openRoom({ pageFolder: folder });
});
afterAll(async () => {
  await room.close();
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

describe("S-38 web UI", () => {
  test("the page comes with a strict policy, and is asked for anew each time", async () => {
    const response = await room.get("/");
    expect([response.status, await response.text()]).toEqual([200, "<!doctype html><title>Lanthorn</title>"]);
    const policy = response.headers.get("content-security-policy") ?? "";
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]) {
      expect(policy.split("; ")).toContain(rule);
    }
    expect(policy).not.toContain("unsafe");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(response.headers.get("x-powered-by")).toBeNull();
    const etag = `If-None-Match: ${response.headers.get("etag")}`;
    const again = await openRaw(room.port, `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${etag}\r\n\r\n`);
    expect(await again.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 304 /);
    again.socket.destroy();
  });

  test("files with a hash in their name are kept, others are not", async () => {
    const script = await room.get("/assets/index-1a2b.js");
    expect(script.headers.get("content-type")).toMatch(/^text\/javascript/);
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(script.headers.get("x-content-type-options")).toBe("nosniff");
    const icon = await room.get("/icon.svg");
    expect([icon.status, icon.headers.get("content-security-policy")?.includes("default-src 'none'")]).toEqual([
      200,
      true,
    ]);
  });

  test.each([
    "/index.html",
    "/assets",
    "/assets/",
    "/assets/index-1a2b.js.map",
    "/.env",
    "/.git/config",
    "/..%2foutside.txt",
    "/assets/..%2f..%2foutside.txt",
    "/assets/%2e%2e/index.html",
    "/icon.svg/",
    "/icon.svg%00.js",
    "/nothing",
  ])("%s is not there", async (path) => {
    const response = await room.get(path);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "not_found" } });
  });

  test("a range that cannot be had tells nothing about us", async () => {
    const response = await room.get("/icon.svg", { range: "bytes=900-" });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toMatch(/node_modules|\.ts|tmp/);
  });
});

test("a box without its page says so", async () => {
  const bare = await openRoom({ pageFolder: join(folder, "missing") });
  const response = await bare.get("/");
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: "not_found" } });
  await bare.close();
});
