/** Which files are served: named ones first, then the folder's; each under one alias; the rest refused with a reason. */
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ensureDemoModel } from "../../models/demo/file.ts";
import { listModels, type ModelEntry } from "../../models/store.ts";
import { smallModel, value, withKey, writeGgufParts } from "../support/gguf-bytes.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

async function aliases(folder: string, entries: readonly ModelEntry[] = []): Promise<string[]> {
  return (await listModels({ folder, entries })).files.map((file) => file.alias);
}

describe("what is served", () => {
  test("every GGUF of the folder, by name, with the alias its file name gives", async () => {
    const folder = temporaryFolder();
    const path = writeGgufParts(folder, "Big-Coder-Q4_K_M.GGUF", smallModel);
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    await ensureDemoModel(folder);
    writeFileSync(join(folder, "notes.txt"), "not a model");
    const listing = await listModels({ folder, entries: [] });
    expect(listing.refusals).toEqual([]);
    expect(listing.files.map((file) => [file.alias, file.demo])).toEqual([
      ["big-coder-q4_k_m", false],
      ["lanthorn-demo", true],
    ]);
    expect(listing.files[0]).toEqual({
      alias: "big-coder-q4_k_m",
      path,
      fileName: "Big-Coder-Q4_K_M.GGUF",
      sizeBytes: expect.any(Number),
      createdAtMs: 1_700_000_000_000,
      trainedContextLength: 4096,
      architecture: "llama",
      shape: expect.objectContaining({ weightBytes: 48, vocabularySize: 3, tiedOutput: true }),
      vocabularySize: 3,
      tokenizer: "gpt2",
      chatTemplate: "{{ messages[0].content }}",
      pooled: null,
      demo: false,
      asked: false,
      context: null,
      slots: null,
    });
  });

  test("named models come first, with what was asked for them, and are not listed a second time", async () => {
    const folder = temporaryFolder();
    const path = writeGgufParts(folder, "a.gguf", smallModel);
    writeGgufParts(folder, "b.gguf", smallModel);
    symlinkSync(path, join(folder, "c.gguf"));
    const { files } = await listModels({
      folder,
      entries: [{ path, alias: "org/coder:7b@x", context: 2048, slots: 3 }],
    });
    expect(files.map(({ alias, asked, context, slots }) => ({ alias, asked, context, slots }))).toEqual([
      { alias: "org/coder:7b@x", asked: true, context: 2048, slots: 3 },
      { alias: "b", asked: false, context: null, slots: null },
    ]);
  });

  test("one file may have two names, and a folder need not exist", async () => {
    const path = writeGgufParts(temporaryFolder(), "a.gguf", smallModel);
    const missing = join(temporaryFolder(), "none");
    expect(await aliases(missing, [{ path }, { path, alias: "second" }])).toEqual(["a", "second"]);
  });
});

describe("what is refused", () => {
  test("a broken file, a missing one, a folder: each with its reason, and the others are served", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "broken.gguf"), "GGUF");
    mkdirSync(join(folder, "folder.gguf"));
    writeGgufParts(folder, "good.gguf", smallModel);
    const listing = await listModels({ folder, entries: [{ path: join(folder, "missing.gguf") }] });
    expect(listing.files.map((file) => file.alias)).toEqual(["good"]);
    expect(listing.refusals).toEqual([
      { fileName: "missing.gguf", reason: "there is no such file" },
      { fileName: "broken.gguf", reason: "the file ends inside the version: it is truncated" },
      { fileName: "folder.gguf", reason: "it is not a regular file" },
    ]);
  });

  test("a second model with the same alias", async () => {
    const folder = temporaryFolder();
    writeGgufParts(folder, "Coder.gguf", smallModel);
    const path = writeGgufParts(temporaryFolder(), "other.gguf", smallModel);
    const listing = await listModels({ folder, entries: [{ path, alias: "coder" }] });
    expect(listing.files.map((file) => file.fileName)).toEqual(["other.gguf"]);
    expect(listing.refusals).toEqual([
      { fileName: "Coder.gguf", reason: 'its alias "coder" is already that of other.gguf' },
    ]);
  });

  test.each([
    [{ alias: "" }, "its alias is empty or begins or ends with a space"],
    [{ alias: " x" }, "its alias is empty or begins or ends with a space"],
    [{ alias: "a\u001b[2Jb" }, "its alias holds a control character"],
    [{ alias: "é".repeat(101) }, "its alias is longer than 200 bytes"],
    [{ context: 0 }, "its context is not a whole number above 0"],
    [{ slots: 1.5 }, "its slots is not a whole number above 0"],
  ])("an entry with %j", async (asked, reason) => {
    const path = writeGgufParts(temporaryFolder(), "a.gguf", smallModel);
    const listing = await listModels({ folder: temporaryFolder(), entries: [{ path, ...asked }] });
    expect(listing).toEqual({ files: [], refusals: [{ fileName: "a.gguf", reason }] });
  });
});

describe("a model in several files", () => {
  const first = withKey(smallModel, "split.count", value.uint32(3));
  const further = { ...smallModel, metadata: [["split.count", value.uint32(3)] as const] };

  function split(folder: string, parts: readonly number[]): void {
    for (const part of parts) {
      writeGgufParts(folder, `Big-0000${part}-of-00003.gguf`, part === 1 ? first : further);
    }
  }

  test("is listed once, by its first part, with the size of all", async () => {
    const folder = temporaryFolder();
    split(folder, [1, 2, 3]);
    const { files, refusals } = await listModels({ folder, entries: [] });
    expect(refusals).toEqual([]);
    expect(files.map((file) => [file.alias, file.fileName])).toEqual([["big", "Big-00001-of-00003.gguf"]]);
    const alone = temporaryFolder();
    writeGgufParts(alone, "big.gguf", smallModel);
    const [whole] = (await listModels({ folder: alone, entries: [] })).files;
    expect(files[0]?.sizeBytes).toBeGreaterThan(whole?.sizeBytes ?? Infinity);
    expect(files[0]?.shape.weightBytes).toBe(3 * (whole?.shape.weightBytes ?? 0));
  });

  test.each([
    [[1, 3], "Big-00001-of-00003.gguf", "its part 2 of 3 cannot be used: there is no such file"],
    [[2, 3], "Big-00002-of-00003.gguf", "it is part 2 of 3; the first part is needed"],
  ])("with parts %j only, it is refused once", async (parts, fileName, reason) => {
    const folder = temporaryFolder();
    split(folder, parts);
    expect(await listModels({ folder, entries: [] })).toEqual({ files: [], refusals: [{ fileName, reason }] });
  });

  test("a broken part refuses the whole", async () => {
    const folder = temporaryFolder();
    split(folder, [1, 2, 3]);
    writeFileSync(join(folder, "Big-00003-of-00003.gguf"), "GGUF");
    const { refusals } = await listModels({ folder, entries: [] });
    expect(refusals.map((refusal) => refusal.reason)).toEqual([
      "its part 3 of 3 cannot be used: the file ends inside the version: it is truncated",
    ]);
  });

  test("name and header must agree on the number of parts", async () => {
    const folder = temporaryFolder();
    writeGgufParts(folder, "a.gguf", first);
    writeGgufParts(folder, "b-00001-of-00002.gguf", smallModel);
    expect((await listModels({ folder, entries: [] })).refusals).toEqual([
      { fileName: "a.gguf", reason: "it is one of 3 parts, but its name says it is whole" },
      { fileName: "b-00001-of-00002.gguf", reason: "it is one of 1 parts, but its name says 2 parts" },
    ]);
  });
});
