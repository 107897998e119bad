/** What the validator lets through, and each thing it refuses before native code would follow it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { examineGguf, validateGguf } from "../../../models/gguf/validate.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { encodeGguf, type GgufParts, smallModel, value, withKey, writeGgufParts } from "../../support/gguf-bytes.ts";
import { hostileHeaders } from "../../support/hostile-gguf.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** Why the file is refused, or "accepted". */
async function verdictOn(parts: GgufParts): Promise<string> {
  const verdict = await examineGguf(writeGgufParts(temporaryFolder(), "model.gguf", parts));
  return verdict.accepted ? "accepted" : verdict.reason;
}

describe("a right file", () => {
  test("gives the facts that the rest of the product asks for", async () => {
    const path = writeGgufParts(temporaryFolder(), "model.gguf", smallModel);
    expect(await validateGguf(path)).toEqual({
      architecture: "llama",
      name: "Small",
      trainedContextLength: 4096,
      blockCount: 1,
      headCount: 2,
      headCountKv: 2,
      embeddingLength: 4,
      outputLength: 4,
      pooling: null,
      classifier: false,
      causal: true,
      vocabularySize: 3,
      tokenizer: "gpt2",
      chatTemplate: "{{ messages[0].content }}",
      demo: false,
      fileType: null,
      splitCount: 1,
      shape: expect.objectContaining({ architecture: "llama", weightBytes: 48 }),
    });
  });

  test("may be version 2, have one head count per layer, 64-bit numbers and no chat template", async () => {
    const perLayer = withKey(smallModel, "llama.attention.head_count", value.uint32s([1, 4, 2]));
    const wide = withKey(perLayer, "llama.context_length", value.uint64(131_072n));
    const bare = withKey({ ...wide, version: 2 }, "tokenizer.chat_template", null);
    const summary = await validateGguf(writeGgufParts(temporaryFolder(), "model.gguf", bare));
    expect(summary).toMatchObject({ headCount: 4, trainedContextLength: 131_072, chatTemplate: null });
  });

  test("may lie behind a link and have an alignment of its own", async () => {
    const folder = temporaryFolder();
    const parts = { ...withKey(smallModel, "general.alignment", value.uint32(256)), alignment: 256 };
    symlinkSync(writeGgufParts(folder, "model.gguf", parts), join(folder, "link.gguf"));
    expect((await examineGguf(join(folder, "link.gguf"))).accepted).toBe(true);
  });

  test("may have tokens without a text: the engine gives them names of their own", async () => {
    const gaps = withKey(smallModel, "tokenizer.ggml.tokens", value.texts(["", "a", ""]));
    expect((await validateGguf(writeGgufParts(temporaryFolder(), "model.gguf", gaps))).vocabularySize).toBe(3);
  });

  test("is marked as a demo only by a true yes", async () => {
    const marked = withKey(smallModel, "lanthorn.demo", value.bool(1));
    const text = withKey(smallModel, "lanthorn.demo", value.text("true"));
    const folder = temporaryFolder();
    expect((await validateGguf(writeGgufParts(folder, "a.gguf", marked))).demo).toBe(true);
    expect((await validateGguf(writeGgufParts(folder, "b.gguf", text))).demo).toBe(false);
  });
});

describe("refused, with the reason", () => {
  test.each(hostileHeaders)("%s", async (_, parts, reason) => {
    expect(await verdictOn(parts)).toMatch(reason);
  });

  test("a header that ends anywhere before its end", async () => {
    const whole = encodeGguf(smallModel);
    const headerBytes = whole.length - smallModel.dataBytes;
    const path = join(temporaryFolder(), "cut.gguf");
    const accepted: number[] = [];
    for (let length = 0; length < whole.length; length += length < headerBytes ? 3 : 1) {
      writeFileSync(path, whole.subarray(0, length));
      if ((await examineGguf(path)).accepted) accepted.push(length);
    }
    expect(accepted).toEqual([]);
  });

  test("a header that claims gigabytes, without reading or holding them", async () => {
    const path = writeGgufParts(temporaryFolder(), "bomb.gguf", withKey(smallModel, "x", value.claimedText(2n ** 32n)));
    // Sparse: 8 GiB that take no room on the disk.
    truncateSync(path, 2 ** 33);
    const before = process.memoryUsage().rss;
    const started = performance.now();
    const verdict = await examineGguf(path);
    expect(verdict).toMatchObject({ accepted: false, reason: expect.stringMatching(/header is larger than 128 MiB/) });
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });

  test("sixteen million empty names, within the header's bound", async () => {
    const path = writeGgufParts(
      temporaryFolder(),
      "names.gguf",
      // Nothing but zeros follows: each of them a name of length 0.
      { ...withKey(smallModel, "x", value.claimedList(8, 2n ** 24n)), tensors: [] },
    );
    truncateSync(path, 2 ** 33);
    const started = performance.now();
    expect(await examineGguf(path)).toMatchObject({ reason: expect.stringMatching(/header is larger than 128 MiB/) });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("what is no file", () => {
  test.skipIf(process.platform === "win32")("a named pipe is refused at once", async () => {
    const path = join(temporaryFolder(), "pipe.gguf");
    execFileSync("mkfifo", [path]);
    expect(await examineGguf(path)).toEqual({ accepted: false, reason: "it is not a regular file" });
  });

  test.skipIf(process.platform === "win32")("a device is refused without being read", async () => {
    expect(await examineGguf("/dev/zero")).toEqual({ accepted: false, reason: "it is not a regular file" });
  });

  test("a folder, a missing file, an impossible name, an empty file", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "folder.gguf"));
    writeFileSync(join(folder, "empty.gguf"), "");
    const reasons = [];
    for (const name of ["folder.gguf", "missing.gguf", "\0.gguf", `${"n".repeat(4096)}.gguf`, "empty.gguf"]) {
      const verdict = await examineGguf(join(folder, name));
      reasons.push(verdict.accepted ? "accepted" : verdict.reason);
    }
    expect(reasons).toEqual([
      "it is not a regular file",
      "there is no such file",
      "there is no such file",
      "there is no such file",
      "it is empty",
    ]);
  });

  test("the failure names the file and the reason, never the folder", async () => {
    const folder = temporaryFolder();
    const path = writeGgufParts(folder, "old.gguf", { ...smallModel, version: 1 });
    const thrown = await validateGguf(path).catch((failure: unknown) => failure);
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown).toMatchObject({
      code: "invalid_request",
      message: "old.gguf cannot be served: it is GGUF version 1; versions 2 and 3 can be read.",
    });
    expect(String(thrown)).not.toContain(folder);
  });
});
