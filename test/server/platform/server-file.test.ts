import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readServerFile, removeServerFile, writeServerFile } from "../../../server/platform/server-file.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const value = { pid: 4242, url: "http://127.0.0.1:4747", startedAtMs: 1_700_000_000_000 };

test("what was written is read back, by its owner only", () => {
  const folder = temporaryFolder();
  const path = join(folder, "server.json");
  writeServerFile(path, { ...value, pid: 1 });
  writeServerFile(path, value);
  expect(readServerFile(path)).toEqual(value);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["server.json"]);
  removeServerFile(path);
  removeServerFile(path);
  expect(existsSync(path)).toBe(false);
});

test("anything else than a server file is no server", () => {
  const path = join(temporaryFolder(), "server.json");
  expect(readServerFile(path)).toBeNull();
  for (const text of ["", "{", "[]", '{"pid":"1"}', JSON.stringify({ ...value, url: "file:///etc/passwd" })]) {
    writeFileSync(path, text);
    expect(readServerFile(path)).toBeNull();
  }
});
