/** Imported models beside the folder's own: listed, refused, missing, forgotten; never touched where they lie. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { addImports, forgetImport, type ImportedModel, readImports } from "../../models/imports.ts";
import { ownershipOf } from "../../models/ownership.ts";
import { defaultAlias, listModels } from "../../models/store.ts";
import { naughtyStrings } from "../support/naughty-strings.ts";
import { encodeGguf, smallModel, writeGgufParts } from "../support/gguf-bytes.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function imported(root: string, fileName: string, alias: string): ImportedModel {
  return { alias, path: join(root, fileName), root, source: "ollama", name: `${alias}:7b`, importedAtMs: 1 };
}

describe("the list", () => {
  test("has imported models last, with the name their tool has for them", async () => {
    const [folder, root] = [temporaryFolder(), temporaryFolder()];
    writeGgufParts(folder, "own.gguf", smallModel);
    const path = writeGgufParts(root, `sha256-${"a".repeat(64)}`, smallModel);
    addImports(folder, [imported(root, `sha256-${"a".repeat(64)}`, "coder")]);
    const { files, refusals } = await listModels({ folder, entries: [] });
    expect(refusals).toEqual([]);
    expect(files.map(({ alias, fileName, path: at, asked }) => ({ alias, fileName, at, asked }))).toEqual([
      { alias: "own", fileName: "own.gguf", at: join(folder, "own.gguf"), asked: false },
      { alias: "coder", fileName: "coder:7b", at: path, asked: false },
    ]);
  });

  test("shows one whose file vanished as missing, and one that was exchanged for a link out as that", async () => {
    const [folder, root] = [temporaryFolder(), temporaryFolder()];
    const gone = writeGgufParts(root, "gone.gguf", smallModel);
    const turned = writeGgufParts(root, "turned.gguf", smallModel);
    writeGgufParts(root, "broken.gguf", smallModel);
    addImports(folder, [
      imported(root, "gone.gguf", "gone"),
      imported(root, "turned.gguf", "turned"),
      imported(root, "broken.gguf", "broken"),
    ]);
    rmSync(gone);
    rmSync(turned);
    symlinkSync(writeGgufParts(temporaryFolder(), "other.gguf", smallModel), turned);
    writeFileSync(join(root, "broken.gguf"), "GGUF");
    expect(await listModels({ folder, entries: [] })).toEqual({
      files: [],
      refusals: [
        { fileName: "gone:7b", reason: "it is missing: it was imported from ollama" },
        { fileName: "turned:7b", reason: "it is a link that leads out of its folder" },
        { fileName: "broken:7b", reason: "the file ends inside the version: it is truncated" },
      ],
    });
  });

  test("names a file once: the settings and the own folder come before an import of the same", async () => {
    const [folder, root] = [temporaryFolder(), temporaryFolder()];
    const path = writeGgufParts(root, "a.gguf", smallModel);
    addImports(folder, [imported(root, "a.gguf", "imported")]);
    const { files } = await listModels({ folder, entries: [{ path, alias: "named" }] });
    expect(files.map(({ alias }) => alias)).toEqual(["named"]);
  });

  test("goes on without a record that cannot be understood, and says so", async () => {
    const folder = temporaryFolder();
    writeGgufParts(folder, "own.gguf", smallModel);
    for (const text of ["", "{", "[]", '{"version":2,"models":[]}', '{"version":1,"models":[{"alias":7}]}']) {
      writeFileSync(join(folder, "imports.json"), text);
      const { files, refusals } = await listModels({ folder, entries: [] });
      expect(files.map(({ alias }) => alias)).toEqual(["own"]);
      expect(refusals).toEqual([
        { fileName: "imports.json", reason: "it cannot be understood, so no imported model is served" },
      ]);
      expect(() => addImports(folder, [])).toThrow("cannot be understood");
      expect(readFileSync(join(folder, "imports.json"), "utf8")).toBe(text);
    }
  });
});

test("the record is for its owner only, replaces what is imported again, and forgets without touching the file", () => {
  const [folder, root] = [temporaryFolder(), temporaryFolder()];
  const path = writeGgufParts(root, "a.gguf", smallModel);
  addImports(folder, [imported(root, "a.gguf", "one"), imported(root, "b.gguf", "two")]);
  addImports(folder, [imported(root, "a.gguf", "renamed")]);
  expect(readImports(folder)?.map(({ alias }) => alias)).toEqual(["two", "renamed"]);
  if (process.platform !== "win32") expect(statSync(join(folder, "imports.json")).mode & 0o777).toBe(0o600);
  expect(forgetImport(folder, "renamed")).toBe(true);
  expect(forgetImport(folder, "renamed")).toBe(false);
  expect(readFileSync(path)).toEqual(encodeGguf(smallModel));
  expect(readdirSync(folder)).toEqual(["imports.json"]);
});

describe("whose a model is", () => {
  const facts = {
    entries: [{ path: "/m/Named.gguf" }, { path: "/m/x.gguf", alias: "big" }],
    fileNames: ["Big-00002-of-00002.gguf", "Big-00001-of-00002.gguf", "Small.GGUF", "notes.txt", "lanthorn-demo.gguf"],
    imports: [imported("/o", "f", "small"), imported("/o", "g", "theirs")],
    demoAlias: "lanthorn-demo",
  };

  test.each([
    ["named", { kind: "configured", index: 0 }],
    // The settings come first: the own file of that name is not served, and not meant.
    ["big", { kind: "configured", index: 1 }],
    ["Big-00001-of-00002.gguf", { kind: "owned", fileNames: ["Big-00001-of-00002.gguf", "Big-00002-of-00002.gguf"] }],
    ["small", { kind: "owned", fileNames: ["Small.GGUF"] }],
    ["theirs", { kind: "imported", model: { path: join("/o", "g") } }],
    ["lanthorn-demo", { kind: "demo" }],
    ["../../etc/passwd", { kind: "none" }],
    ["notes.txt", { kind: "none" }],
    ["", { kind: "none" }],
  ])("%j", (alias, expected) => {
    expect(ownershipOf(alias, facts)).toMatchObject(expected);
  });

  test("S-33 no name leads to a file that was not listed", () => {
    for (const one of naughtyStrings) {
      const owner = ownershipOf(one, facts);
      expect(owner.kind, JSON.stringify(one)).toBe("none");
    }
  });
});

test("S-33 five hundred file names: each is listed under the alias it gives, or refused with its reason", async () => {
  const folder = temporaryFolder();
  const content = encodeGguf(smallModel);
  const written: string[] = [];
  for (const one of naughtyStrings) {
    const fileName = `${one}.gguf`;
    // No such file can lie in a folder.
    if (/[/\\\0]/.test(one) || Buffer.byteLength(fileName) > 255) continue;
    writeFileSync(join(folder, fileName), content, { flag: "wx" });
    written.push(fileName);
  }
  expect(written.length).toBeGreaterThan(350);
  mkdirSync(join(folder, "folder.gguf"));
  const { files, refusals } = await listModels({ folder, entries: [] });
  const byName = new Map(files.map((file) => [file.fileName, file]));
  const refused = new Map(refusals.map(({ fileName, reason }) => [fileName, reason]));
  for (const fileName of written) {
    const file = byName.get(fileName);
    if (file === undefined) expect(refused.get(fileName), fileName).toMatch(/^it/);
    else expect(file.alias).toBe(defaultAlias(fileName));
  }
  expect(files.length).toBeGreaterThan(300);
  expect(new Set(files.map(({ alias }) => alias)).size).toBe(files.length);
  expect(files.filter(({ alias }) => /\p{Cc}/u.test(alias))).toEqual([]);
  expect(refused.get("folder.gguf")).toBe("it is not a regular file");
});
