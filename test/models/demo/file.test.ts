/** The demo files: the same bytes everywhere, small, put in place once and never half. */
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { constructDemo, tokenId } from "../../../models/demo/construct.ts";
import { demoFileBytes, demoHashes, ensureDemoModel, sha256, swapOutputRows } from "../../../models/demo/file.ts";
import { greedyText, type VoiceName, voices } from "../../../models/demo/voices.ts";
import { validateGguf } from "../../../models/gguf/validate.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const names = Object.keys(voices) as VoiceName[];

describe.each(names)("the voice %s", (name) => {
  test("is written with the very bytes that were agreed on, below 3 MB", () => {
    const bytes = demoFileBytes(constructDemo(voices[name]));
    expect(sha256(bytes)).toBe(demoHashes[name]);
    expect(bytes.length).toBeLessThan(3_000_000);
  });

  test("passes our own validator as a real, marked model", async () => {
    const path = await ensureDemoModel(temporaryFolder(), name);
    expect(await validateGguf(path)).toMatchObject({
      architecture: "qwen2",
      name: voices[name].name,
      demo: true,
      trainedContextLength: 32_768,
      blockCount: 1,
      headCount: 2,
      headCountKv: 1,
      chatTemplate: expect.stringContaining("<tools>"),
      fileType: 1,
    });
  });
});

test("says what it is", () => {
  expect(greedyText(voices.demo.plain)).toBe(
    "Hello! I am the built-in demo model of Lanthorn 🏮, no bigger than a postcard from your café: " +
      "always these same words until you add real weights.",
  );
});

test("a file that is right is left alone, one that is not is replaced, and nothing else is left behind", async () => {
  const folder = join(temporaryFolder(), "models");
  const path = await ensureDemoModel(folder);
  expect(path).toBe(join(folder, "lanthorn-demo.gguf"));
  utimesSync(path, 1_000_000, 1_000_000);
  await ensureDemoModel(folder);
  expect(statSync(path).mtimeMs).toBe(1_000_000_000);
  writeFileSync(path, "half a file");
  await ensureDemoModel(folder);
  expect(sha256(readFileSync(path))).toBe(demoHashes.demo);
  expect(readdirSync(folder)).toEqual(["lanthorn-demo.gguf"]);
});

test("exchanging two output rows changes those bytes only, and a second time changes them back", async () => {
  const path = await ensureDemoModel(temporaryFolder());
  const model = constructDemo(voices.demo);
  const before = readFileSync(path);
  const ids = [tokenId(model, " postcard"), tokenId(model, " thimble")] as const;
  await swapOutputRows(path, ...ids);
  const after = readFileSync(path);
  const changed = [...before.keys()].filter((at) => before[at] !== after[at]);
  const start = before.length - model.lexicon.tokens.length * 512;
  expect(new Set(changed.map((at) => Math.floor((at - start) / 512)))).toEqual(new Set(ids));
  await swapOutputRows(path, ...ids);
  expect(sha256(readFileSync(path))).toBe(demoHashes.demo);
});

test("the command writes a voice and says what it will say", () => {
  const path = join(temporaryFolder(), "out.gguf");
  const out = execFileSync(process.execPath, ["models/demo/write.ts", path, "--voice", "second"], { encoding: "utf8" });
  expect(out).toBe(`${path}\n${greedyText(voices.second.plain)}\n`);
  expect(sha256(readFileSync(path))).toBe(demoHashes.second);
});
