import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { createDataFolder, dataPaths } from "../../../server/platform/paths.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("LANTHORN_HOME decides, and comes out absolute", () => {
  expect(dataPaths({ LANTHORN_HOME: "/srv/lanthorn" })).toEqual({
    home: "/srv/lanthorn",
    models: "/srv/lanthorn/models",
    fitLessons: "/srv/lanthorn/fit-lessons.json",
    kv: "/srv/lanthorn/kv",
    batch: "/srv/lanthorn/batch",
    config: "/srv/lanthorn/lanthorn.yaml",
    ledger: "/srv/lanthorn/ledger.db",
    adminKey: "/srv/lanthorn/admin.key",
    masterKey: "/srv/lanthorn/master.key",
    serverFile: "/srv/lanthorn/server.json",
    tlsCertificate: "/srv/lanthorn/tls.crt",
    tlsKey: "/srv/lanthorn/tls.key",
    lock: "/srv/lanthorn/data.lock",
  });
  expect(dataPaths({ LANTHORN_HOME: "here" }).home).toBe(resolve("here"));
  expect(dataPaths({ LANTHORN_HOME: "~/box" }).home).toBe(join(homedir(), "box"));
});

test("without it the platform's own folder is used", () => {
  expect(dataPaths({}).home).toMatch(/lanthorn/i);
  expect(dataPaths({ LANTHORN_HOME: "" }).home).toBe(dataPaths({}).home);
});

test("the data folder is made for its owner only", () => {
  const paths = dataPaths({ LANTHORN_HOME: join(temporaryFolder(), "deep", "home") });
  createDataFolder(paths);
  createDataFolder(paths);
  expect(statSync(paths.home).mode & 0o777).toBe(0o700);
  expect(statSync(paths.models).mode & 0o777).toBe(0o700);
});

test("a folder that was there keeps its mode", () => {
  const home = join(temporaryFolder(), "home");
  mkdirSync(home);
  chmodSync(home, 0o750);
  createDataFolder(dataPaths({ LANTHORN_HOME: home }));
  expect(statSync(home).mode & 0o777).toBe(0o750);
});

test("a file in its place is refused with a sentence", () => {
  const home = join(temporaryFolder(), "home");
  writeFileSync(home, "");
  expect(() => createDataFolder(dataPaths({ LANTHORN_HOME: home }))).toThrow(
    expect.objectContaining({ code: "cannot_start", message: `The data folder ${home} cannot be used.` }),
  );
});
